import {
  API_VERSION,
  BLOCKED,
  type Claim,
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

const ON_FIRE = "The weather station is on fire.";
const CUT = "It ra";

const toldTheMessage: Claim = ["the model reads the error's message", ({ throws }) => isTold(throws, ON_FIRE)];
const toldOfTheName: Claim = [
  "the model reads that, and the run continues",
  ({ unknown }) => isTold(unknown, "get_wether") && /error/i.test(responsesIn(unknown)),
];

/** The middle column of each page, by the page's name. */
export const CLAIMS_OF_OTHERS: Readonly<Record<string, Claims>> = {
  "ai-sdk": {
    [THROWS]: toldTheMessage,
    [UNKNOWN]: toldOfTheName,
    [UNAVAILABLE]: [
      "retried, twice at most",
      ({ unavailableOnce: once, unavailable }) => isAnswered(once) && requestsOf(unavailable) === 3,
    ],
    [EMPTY]: [
      "an empty text; `finishReason` is `stop`",
      ({ empty }) => requestsOf(empty) === 1 && gave(empty, { text: "", finishReason: "stop" }),
    ],
    [BLOCKED]: [
      "an empty text; `finishReason` is `content-filter`",
      ({ blocked }) => gave(blocked, { text: "", finishReason: "content-filter" }),
    ],
    [TRUNCATED]: [
      "the text so far; `finishReason` is `length`",
      ({ truncated }) => gave(truncated, { text: CUT, finishReason: "length" }),
    ],
    [ENDLESS]: [
      "`ToolLoopAgent`: 20 steps; `generateText`: one",
      ({ endless, generateText }) => requestsOf(endless) === 20 && requestsOf(generateText) === 1,
    ],
    [SEARCH]: [
      "functions are dropped, with a warning",
      ({ search }) =>
        JSON.stringify(search?.requests[0]?.body.tools) === '[{"googleSearch":{}}]' &&
        JSON.stringify(search?.result?.["warnings"]).includes("combination of function and provider-defined tools"),
    ],
  },
  genkit: {
    [THROWS]: ["the run fails with its error", ({ throws }) => failed(throws, "Error", ON_FIRE)],
    [UNKNOWN]: ["the run fails with `NOT_FOUND`", ({ unknown }) => unknown?.error?.status === "NOT_FOUND"],
    [UNAVAILABLE]: [
      "no retry: the run fails with `UNAVAILABLE`",
      ({ unavailableOnce: once }) => requestsOf(once) === 1 && once?.error?.status === "UNAVAILABLE",
    ],
    [EMPTY]: [
      "an empty text; `finishReason` is `stop`",
      ({ empty }) => requestsOf(empty) === 1 && gave(empty, { text: "", finishReason: "stop" }),
    ],
    [BLOCKED]: [
      "an error: `No valid candidates returned`",
      ({ blocked }) => failed(blocked, "GenkitError", "No valid candidates returned"),
    ],
    [TRUNCATED]: [
      "the text so far; `finishReason` is `length`",
      ({ truncated }) => gave(truncated, { text: CUT, finishReason: "length" }),
    ],
    [ENDLESS]: [
      "an error after 5 rounds of calls",
      ({ endless }) => requestsOf(endless) === 6 && failed(endless, "GenkitError", "maximum tool call iterations (5)"),
    ],
  },
  "google-adk": {
    [THROWS]: toldTheMessage,
    [UNKNOWN]: [
      "the call stays open, and the service refuses the next request",
      ({ unknown }) => requestsOf(unknown) === 2 && gave(unknown, { errorCode: "400" }),
    ],
    [UNAVAILABLE]: [
      "no retry: an event with `errorCode`; nothing is thrown",
      ({ unavailableOnce: once }) => requestsOf(once) === 1 && gave(once, { errorCode: "503" }),
    ],
    [EMPTY]: [
      "an event without text; its `errorCode` is `STOP`, or absent with `StreamingMode.SSE`",
      ({ empty, streamed }) =>
        gave(empty, { text: "", errorCode: "STOP" }) &&
        gave(streamed, { text: "", errorCode: undefined }) &&
        requestsOf(empty) === 1,
    ],
    [BLOCKED]: [
      "an event with `errorCode`; nothing is thrown",
      ({ blocked }) => gave(blocked, { text: "", errorCode: "PROHIBITED_CONTENT" }),
    ],
    [TRUNCATED]: [
      "the text so far; `finishReason` is `MAX_TOKENS`",
      ({ truncated }) => gave(truncated, { text: CUT, finishReason: "MAX_TOKENS" }),
    ],
    [ENDLESS]: ["500 requests", ({ endless }) => requestsOf(endless) === 500],
  },
  "google-genai": {
    [THROWS]: ["`sendMessage` rejects with its error", ({ throws }) => failed(throws, "Error", ON_FIRE)],
    [UNKNOWN]: [
      "`callTool` has to notice",
      ({ unknown }) => JSON.stringify(unknown?.result?.["called"]) === '["get_wether"]',
    ],
    [UNAVAILABLE]: [
      "`ApiError`; retries only with `retryOptions`",
      ({ unavailableOnce: once, retryOptions }) =>
        requestsOf(once) === 1 && failed(once, "ApiError") && isAnswered(retryOptions),
    ],
    [EMPTY]: [
      "`text` is `undefined`",
      ({ empty }) => requestsOf(empty) === 1 && gave(empty, { text: undefined, finishReason: "STOP" }),
    ],
    [BLOCKED]: [
      "`text` is `undefined`; the reason is in `promptFeedback`",
      ({ blocked }) => gave(blocked, { text: undefined, blockReason: "PROHIBITED_CONTENT" }),
    ],
    [TRUNCATED]: [
      "the text so far; `finishReason` is `MAX_TOKENS`",
      ({ truncated }) => gave(truncated, { text: CUT, finishReason: "MAX_TOKENS" }),
    ],
    [ENDLESS]: [
      "10 rounds of calls",
      ({ endless }) => JSON.stringify(endless?.result?.["called"]) === JSON.stringify(Array(10).fill("get_weather")),
    ],
    [API_VERSION]: [
      "`v1`, or `v1beta` with an option",
      ({ truncated, v1beta }) =>
        truncated?.requests[0]?.path.startsWith("/v1/") === true &&
        v1beta?.requests[0]?.path.startsWith("/v1beta/") === true,
    ],
  },
  langchain: {
    [THROWS]: toldTheMessage,
    [UNKNOWN]: toldOfTheName,
    [UNAVAILABLE]: ["retried", ({ unavailableOnce: once }) => requestsOf(once) === 2 && isAnswered(once)],
    [EMPTY]: [
      "a message without text, and no error",
      ({ empty }) => requestsOf(empty) === 1 && gave(empty, { text: "" }),
    ],
    [BLOCKED]: ["`PromptBlockedError`", ({ blocked }) => failed(blocked, "PromptBlockedError")],
    [TRUNCATED]: [
      "the text so far; `finishReason` is in `additional_kwargs`",
      ({ truncated }) => gave(truncated, { text: CUT, finishReason: "MAX_TOKENS" }),
    ],
    [ENDLESS]: [
      "an error after 25 steps of the graph: 13 requests",
      ({ endless }) =>
        requestsOf(endless) === 13 && failed(endless, "GraphRecursionError", "Recursion limit of 25 reached"),
    ],
  },
  "openai-agents": {
    [THROWS]: [
      "the model reads that an error occurred, without its message",
      ({ throws }) => isTold(throws, "An error occurred") && !responsesIn(throws).includes(ON_FIRE),
    ],
    [UNKNOWN]: [
      "the run fails with `ModelBehaviorError`",
      ({ unknown }) => requestsOf(unknown) === 1 && failed(unknown, "ModelBehaviorError"),
    ],
    [UNAVAILABLE]: [
      "no retry: the run fails",
      ({ unavailableOnce: once }) => requestsOf(once) === 1 && once?.error !== undefined,
    ],
    [EMPTY]: [
      "asked again until `maxTurns`",
      ({ empty }) => requestsOf(empty) === 10 && failed(empty, "MaxTurnsExceededError"),
    ],
    [BLOCKED]: [
      "asked again until `maxTurns`",
      ({ blocked }) => requestsOf(blocked) === 10 && failed(blocked, "MaxTurnsExceededError"),
    ],
    [TRUNCATED]: ["the text so far, as the final output", ({ truncated }) => gave(truncated, { text: CUT })],
    [ENDLESS]: [
      "`MaxTurnsExceededError` after 10 turns",
      ({ endless }) => requestsOf(endless) === 10 && failed(endless, "MaxTurnsExceededError"),
    ],
  },
};
