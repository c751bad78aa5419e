import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";

/** What the page shows: the part of the address after `#`. */
export type Route = TotalsRoute | SessionsRoute | SessionRoute | EvalsRoute | CompareRoute | PlayRoute;

export interface SessionsRoute {
  readonly kind: "sessions";
  readonly search: string;
  readonly state: string;
}

export interface SessionRoute {
  readonly kind: "session";
  readonly id: string;
  /** A tab of the session; empty for the timeline. */
  readonly tab: string;
  /** The selection in the tab: the index of an exchange, the position of an entry. */
  readonly item?: number | undefined;
  /** A run or turn of the timeline. */
  readonly turn?: TurnRoute | undefined;
}

export interface TurnRoute {
  /** Absent: `turn` is the number of a turn in the session. */
  readonly runId?: string | undefined;
  /** Number in the run; 0 for the whole run. */
  readonly turn: number;
  /** A tab of the turn; empty for its contents. */
  readonly tab: string;
  /** The index of an exchange. */
  readonly item?: number | undefined;
}

/** Totals of a store. */
export interface TotalsRoute {
  readonly kind: "totals";
  /** `today`, `7d`, `30d`, `all`, or the first and the last day as `2026-11-01..2026-11-07`. */
  readonly span: string;
}

/** Runs of evals. */
export interface EvalsRoute {
  readonly kind: "evals";
  /** A suite, a run of it, a case and the number of a trial; then the run and number of another trial. The end may be missing. */
  readonly path: readonly string[];
}

/** The playground. */
export interface PlayRoute {
  readonly kind: "play";
  /** Name of the agent; empty for the first one. */
  readonly agent: string;
  /** Id of the session; empty for a new one. */
  readonly session: string;
}

/** Two sessions side by side, or a run of each. */
export interface CompareRoute {
  readonly kind: "compare";
  readonly left: string;
  readonly right: string;
  /** Ids of the runs; absent to compare both sessions in full. */
  readonly runs?: readonly [left: string, right: string] | undefined;
}

export const SESSIONS: SessionsRoute = { kind: "sessions", search: "", state: "" };

/** Reads the hash of an address; the list of sessions for an invalid one. */
export function parseRoute(hash: string): Route {
  const [path = "", query] = hash.replace(/^#?\/?/, "").split("?", 2);
  const params = new URLSearchParams(query);
  const [kind = "", first = "", second = "", ...rest] = path.split("/").map(decode);
  if (kind === "totals") return { kind, span: params.get("span") ?? "7d" };
  if (kind === "evals") return { kind, path: [first, second, ...rest].filter(Boolean) };
  if (kind === "play") return { kind, agent: first, session: second };
  if (kind === "s" && first !== "") return parseSession(first, second, rest);
  const [left, right] = rest;
  const runs = left === undefined || right === undefined ? undefined : ([left, right] as const);
  if (kind === "compare" && first !== "" && second !== "") return { kind, left: first, right: second, runs };
  return { kind: "sessions", search: params.get("q") ?? "", state: params.get("state") ?? "" };
}

function parseSession(id: string, place: string, rest: readonly string[]): SessionRoute {
  const shown = (turn: TurnRoute): SessionRoute => ({ kind: "session", id, tab: "", turn });
  if (place === "t") return shown({ turn: numberIn(rest[0]) ?? 0, tab: rest[1] ?? "", item: numberIn(rest[2]) });
  if (place !== "r") return { kind: "session", id, tab: place, item: numberIn(rest[0]) };
  const [runId = "", mark, number, tab = "", item] = rest;
  const turn = mark === "t" ? numberIn(number) : undefined;
  return shown(turn === undefined ? { runId, turn: 0, tab: "" } : { runId, turn, tab, item: numberIn(item) });
}

/** True for the turn of an address. */
export function isTurn(
  place: Pick<TurnRoute, "runId" | "turn">,
  { runId }: Pick<RunRow, "runId">,
  { number, turn }: Pick<TurnRow, "number" | "turn">,
): boolean {
  return place.runId === undefined ? number > 0 && place.turn === number : place.runId === runId && place.turn === turn;
}

/** The address of a turn, or of a whole run. */
export function turnRoute(
  id: string,
  { runId }: Pick<RunRow, "runId">,
  row?: Pick<TurnRow, "number" | "turn">,
  shown: Partial<Pick<TurnRoute, "tab" | "item">> = {},
): SessionRoute {
  const { number = 0, turn = 0 } = row ?? {};
  const place = number > 0 ? { turn: number } : { runId, turn };
  return { kind: "session", id, tab: "", turn: { ...place, tab: "", ...shown } };
}

/** @returns A hash such as `#/s/chat-1/t/3/wire`. */
export function formatRoute(route: Route): string {
  switch (route.kind) {
    case "sessions": {
      const given = Object.entries({ q: route.search, state: route.state }).filter(([, value]) => value !== "");
      return given.length === 0 ? "#/" : `#/?${new URLSearchParams(given).toString()}`;
    }
    case "totals":
      return `#/totals?${new URLSearchParams({ span: route.span }).toString()}`;
    case "evals":
      return hashOf("evals", ...route.path);
    case "play":
      return hashOf("play", route.agent, route.agent && route.session);
    case "compare":
      return hashOf("compare", route.left, route.right, ...(route.runs ?? []));
    case "session": {
      const { id, tab, item, turn } = route;
      if (turn === undefined) return hashOf("s", id, tab, tab && item);
      const run = turn.runId === undefined ? [] : ["r", turn.runId];
      const place = turn.turn > 0 ? ["t", turn.turn, turn.tab, turn.tab && turn.item] : [];
      return hashOf("s", id, ...run, ...place);
    }
  }
}

/** The current session or suite of evals, and the route of its top. */
export function shownIn(route: Route): { readonly id: string; readonly top: Route } | undefined {
  if (route.kind === "session") return { id: route.id, top: { kind: "session", id: route.id, tab: "" } };
  const [id] = route.kind === "evals" ? route.path : [];
  return id === undefined ? undefined : { id, top: { kind: "evals", path: [id] } };
}

/** A hash of the segments that are neither empty nor undefined. */
function hashOf(...segments: readonly (string | number | undefined)[]): string {
  const given = segments.flatMap((segment) =>
    segment === undefined || segment === "" ? [] : encodeURIComponent(segment),
  );
  return `#/${given.join("/")}`;
}

function numberIn(segment: string | undefined): number | undefined {
  return segment !== undefined && /^\d{1,9}$/.test(segment) ? Number(segment) : undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
