import {
  API_VERSION,
  BLOCKED,
  type Claims,
  EMPTY,
  ENDLESS,
  failed,
  gave,
  isAnswered,
  isTold,
  requestsOf,
  responsesIn,
  SEARCH,
  THROWS,
  TRUNCATED,
  UNAVAILABLE,
  UNKNOWN,
} from "./claims.ts";

const ON_FIRE = "on fire";

/** The last column of each page. */
export const CLAIMS_OF_POLLUX: Claims = {
  [THROWS]: [
    "the model reads that it failed; only a [`ToolError`](../tools-of-your-own.md#failures) shows its text",
    ({ throws, failure }) =>
      isTold(throws, "failed") && !responsesIn(throws).includes(ON_FIRE) && isTold(failure, ON_FIRE),
  ],
  [UNKNOWN]: ["the model reads that, and the run continues", ({ unknown }) => isTold(unknown, "there is no tool")],
  [UNAVAILABLE]: [
    "up to 4 attempts, as far apart as the service asks",
    ({ unavailableOnce: once, unavailable }) => {
      const [first, second] = once?.requests ?? [];
      // The scenario requires 200 ms.
      const isLater = first !== undefined && second !== undefined && second.atMs - first.atMs >= 190;
      return isAnswered(once) && isLater && requestsOf(unavailable) === 4;
    },
  ],
  [EMPTY]: [
    "asked again, up to 3 times; then the stop reason `empty`",
    ({ empty }) => requestsOf(empty) === 4 && gave(empty, { stopReason: "empty" }),
  ],
  [BLOCKED]: ["`ResponseBlockedError`", ({ blocked }) => failed(blocked, "ResponseBlockedError")],
  [TRUNCATED]: ["the stop reason `truncated`", ({ truncated }) => gave(truncated, { stopReason: "truncated" })],
  [ENDLESS]: [
    "25 turns, then stop reason `limit`; sooner `repeated-calls`, if calls and results repeat",
    ({ endless, repeated }) =>
      gave(endless, { stopReason: "limit", turns: 25 }) &&
      gave(repeated, { stopReason: "repeated-calls" }) &&
      requestsOf(repeated) < 25,
  ],
  [SEARCH]: [
    "a separate request searches",
    ({ search }) =>
      isAnswered(search) &&
      search?.requests.filter(({ body }) => JSON.stringify(body.tools) === '[{"googleSearch":{}}]').length === 1,
  ],
  [API_VERSION]: ["`v1beta`", ({ truncated }) => truncated?.requests[0]?.path.startsWith("/v1beta/") === true],
};
