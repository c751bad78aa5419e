import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";

/** What the page shows, as it stands in the address after `#`. */
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
  /** What is selected in the tab: the index of an exchange, the position of an entry. */
  readonly item?: number | undefined;
  /** A run or turn of the timeline. */
  readonly turn?: TurnRoute | undefined;
}

export interface TurnRoute {
  /** Without one, `turn` is the number of a turn in the session. */
  readonly runId?: string | undefined;
  /** Place in the run; 0 for the run as a whole. */
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
  /** A suite, a run of it, a case and the number of a trial; then the run and the number of another trial. As far as they are given. */
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
  /** Ids of the runs; absent for all of both sessions. */
  readonly runs?: readonly [left: string, right: string] | undefined;
}

export const SESSIONS: SessionsRoute = { kind: "sessions", search: "", state: "" };

/** Reads the hash of an address; anything that is no route is the list of sessions. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const segments = path.split("/").map(decode);
  if (segments[0] === "totals") return { kind: "totals", span: new URLSearchParams(query).get("span") ?? "7d" };
  if (segments[0] === "evals") return { kind: "evals", path: segments.slice(1).filter(Boolean) };
  if (segments[0] === "play") return { kind: "play", agent: segments[1] ?? "", session: segments[2] ?? "" };
  const [kind, left = "", right = "", leftRun, rightRun] = segments;
  if (kind === "compare" && left !== "" && right !== "")
    return { kind, left, right, ...(leftRun !== undefined && rightRun !== undefined && { runs: [leftRun, rightRun] }) };
  if (segments[0] !== "s" || segments[1] === undefined || segments[1] === "") {
    const params = new URLSearchParams(query);
    return { kind: "sessions", search: params.get("q") ?? "", state: params.get("state") ?? "" };
  }
  const [, id, ...rest] = segments;
  if (rest[0] === "t")
    return {
      kind: "session",
      id,
      tab: "",
      turn: { turn: numberIn(rest[1]) ?? 0, tab: rest[2] ?? "", item: numberIn(rest[3]) },
    };
  if (rest[0] !== "r") return { kind: "session", id, tab: rest[0] ?? "", item: numberIn(rest[1]) };
  const runId = rest[1] ?? "";
  const turn = rest[2] === "t" ? numberIn(rest[3]) : undefined;
  if (turn === undefined) return { kind: "session", id, tab: "", turn: { runId, turn: 0, tab: "" } };
  return { kind: "session", id, tab: "", turn: { runId, turn, tab: rest[4] ?? "", item: numberIn(rest[5]) } };
}

/** True for the turn that an address means. */
export function isTurn(
  place: Pick<TurnRoute, "runId" | "turn">,
  { runId }: Pick<RunRow, "runId">,
  { number, turn }: Pick<TurnRow, "number" | "turn">,
): boolean {
  return place.runId === undefined ? number > 0 && place.turn === number : place.runId === runId && place.turn === turn;
}

/** The address of a turn, or of a run as a whole. */
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
  if (route.kind === "sessions") {
    const params = new URLSearchParams();
    if (route.search !== "") params.set("q", route.search);
    if (route.state !== "") params.set("state", route.state);
    const query = params.toString();
    return query === "" ? "#/" : `#/?${query}`;
  }
  if (route.kind === "totals") return `#/totals?${new URLSearchParams({ span: route.span }).toString()}`;
  if (route.kind === "evals") return hashOf(["evals", ...route.path]);
  if (route.kind === "play")
    return hashOf([
      "play",
      ...(route.agent === "" ? [] : [route.agent, ...(route.session === "" ? [] : [route.session])]),
    ]);
  if (route.kind === "compare") return hashOf(["compare", route.left, route.right, ...(route.runs ?? [])]);
  const { id, tab, item, turn } = route;
  const segments: (string | number)[] = ["s", id];
  if (turn !== undefined) {
    if (turn.runId !== undefined) segments.push("r", turn.runId);
    if (turn.turn > 0) segments.push("t", turn.turn);
    if (turn.turn > 0 && turn.tab !== "") segments.push(turn.tab);
    if (turn.turn > 0 && turn.tab !== "" && turn.item !== undefined) segments.push(turn.item);
  } else if (tab !== "") {
    segments.push(tab);
    if (item !== undefined) segments.push(item);
  }
  return hashOf(segments);
}

/** The session or suite of evals that is shown, and where it begins. */
export function shownIn(route: Route): { readonly id: string; readonly top: Route } | undefined {
  if (route.kind === "session") return { id: route.id, top: { kind: "session", id: route.id, tab: "" } };
  const [id] = route.kind === "evals" ? route.path : [];
  return id === undefined ? undefined : { id, top: { kind: "evals", path: [id] } };
}

function hashOf(segments: readonly (string | number)[]): string {
  return `#/${segments.map((segment) => encodeURIComponent(segment)).join("/")}`;
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
