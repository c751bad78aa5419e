import { buildCallId, type CallStepValue } from "../../durable/run-log.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import type { Content, Part, JsonObject } from "../../wire/types/content.ts";
import type { MessagePart, SaidPart, ToolCallPart, ToolCallState } from "../conversation.ts";
import { isObject, present } from "../../internal/json.ts";
import type { CallStanding } from "../../session/log/call-standing.ts";
import { readStandIn } from "../../tool/stand-in.ts";
import { buildPendingCall } from "../../tool/pending-call.ts";
import type { PendingCall, ToolErrorKind, ToolOutcome } from "../../tool/tool.ts";
import { QUESTION_OF } from "../updates.ts";

/** The parts of a complete answer. Adjacent text of one kind is one part, no matter which signatures are between its pieces. */
export function answerParts(
  turn: number,
  content: readonly Part[],
  standIns?: readonly string[],
): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  readParts(turn, content, parts, parts);
  return numberCalls(turn, parts, standIns);
}

/**
 * The parts of an unfinished answer. Its calls come last, because a draft has none; they are left out once its run is over, because none
 * of them was begun.
 */
export function liveParts(turn: number, content: readonly Part[], isRunning: boolean): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  const calls: MessagePart[] = [];
  readParts(turn, content, parts, calls);
  if (!isRunning) return parts;
  const last = parts.at(-1);
  const grows = last?.type === "text" || last?.type === "thought";
  if (grows) parts[parts.length - 1] = { ...last, streaming: true };
  return [...parts, ...numberCalls(turn, calls)];
}

/** @param calls - Where calls go: among the parts, or beside them. */
function readParts(turn: number, content: readonly Part[], parts: MessagePart[], calls: MessagePart[]): void {
  const nextId = countIds(`${turn}.`);
  /** The call that is being written. */
  let open: ToolCallPart | undefined;
  /** Code and tools of the service that have no result yet, with the service's id of each. */
  const waiting: { readonly part: MessagePart; readonly id: string | undefined }[] = [];
  const wait = (part: MessagePart, id: string | undefined): void => {
    parts.push(part);
    waiting.push({ part, id });
  };
  /** The result belongs to the part with its id, or else to the last one. */
  const end = (type: MessagePart["type"], id: string | undefined, fields: object): void => {
    const ofType = waiting.filter(({ part }) => part.type === type);
    const found = ofType.find((one) => id !== undefined && one.id === id) ?? ofType.at(-1);
    if (found === undefined) return;
    waiting.splice(waiting.indexOf(found), 1);
    parts[parts.indexOf(found.part)] = { ...found.part, ...fields };
  };
  for (const part of content) {
    const { text, functionCall, functionResponse, executableCode, codeExecutionResult, toolCall, toolResponse } = part;
    if (text !== undefined) {
      const type = part.thought === true ? "thought" : "text";
      const last = parts.at(-1);
      if (text === "") continue;
      if (last?.type === type) parts[parts.length - 1] = { ...last, text: last.text + text };
      else parts.push({ type, id: nextId(type), text });
    } else if (functionCall !== undefined) {
      // The service also sends calls without a name; they are never executed.
      const call = open ?? { type: "tool-call", id: "", name: functionCall.name ?? "", args: {}, state: "writing" };
      if (open === undefined) calls.push(call);
      open = isCallPiece(part) ? call : undefined;
      if (open === undefined) calls[calls.lastIndexOf(call)] = { ...call, args: functionCall.args ?? {} };
    } else if (functionResponse !== undefined) {
      // A call that the service answered itself is a server tool; the client's calls are counted without it.
      const { name } = functionResponse;
      const at = calls.findIndex((one) => one.type === "tool-call" && one.name === name);
      const call = calls[at];
      if (call?.type !== "tool-call") continue;
      calls.splice(at, 1);
      const done = { type: "server-tool", id: nextId("server-tool"), name, args: call.args, state: "done" } as const;
      parts.splice(calls === parts ? at : parts.length, 0, done);
    } else if (executableCode !== undefined) {
      const { id, language, code } = executableCode;
      wait({ type: "code", id: nextId("code"), ...(language !== undefined && { language }), code }, id);
    } else if (codeExecutionResult !== undefined) {
      const { id, outcome, output } = codeExecutionResult;
      end("code", id, { outcome, ...(output !== undefined && { output }) });
    } else if (toolCall !== undefined) {
      const { id, toolType: name, args = {} } = toolCall;
      wait({ type: "server-tool", id: nextId("server-tool"), name, args, state: "running" }, id);
    } else if (toolResponse !== undefined) end("server-tool", toolResponse.id, { state: "done" });
    else parts.push(...mediaOf(part, nextId));
  }
}

function numberCalls(
  turn: number,
  parts: readonly MessagePart[],
  standIns?: readonly string[],
): readonly MessagePart[] {
  let count = 0;
  return parts.map((part) => {
    if (part.type !== "tool-call") return part;
    const id = buildCallId(turn, count++);
    if (standIns === undefined) return { ...part, id };
    const { name, args = {} } = readStandIn(part, standIns).call;
    return { ...part, name, args, id };
  });
}

/** The parts of a person's message, without empty texts. */
export function userParts(contents: readonly Content[]): readonly SaidPart[] {
  const nextId = countIds("");
  return contents.flatMap(({ parts }) =>
    parts.flatMap((part): readonly SaidPart[] => {
      if (part.text === undefined) return mediaOf(part, nextId);
      return part.text === "" ? [] : [{ type: "text", id: nextId("text"), text: part.text }];
    }),
  );
}

/** Media, or a part that this release does not know; nothing for a signature alone. */
function mediaOf(part: Part, nextId: (kind: string) => string): readonly SaidPart[] {
  const { inlineData, fileData } = part;
  const media = inlineData ?? fileData;
  if (media === undefined) {
    const keys = Object.keys(part).filter((key) => key !== "thoughtSignature" && key !== "thought");
    return keys.length === 0 ? [] : [{ type: "unknown", id: nextId("unknown"), keys }];
  }
  const { mimeType, displayName: name } = media;
  const where = { data: inlineData?.data, uri: fileData?.fileUri };
  const thought = part.thought === true ? true : undefined;
  return [present({ type: "media", id: nextId("media"), mimeType, ...where, name, thought })];
}

function countIds(prefix: string): (kind: string) => string {
  const counts = new Map<string, number>();
  return (kind) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return `${kind}:${prefix}${count}`;
  };
}

/** What is known about a call. */
export interface KnownCall {
  /** With the arguments that a person changed, if any. */
  readonly part: ToolCallPart;
  /** How it ended, or the decision that took its place. */
  readonly outcome?: ToolOutcome | undefined;
  /** The question that it waits for. */
  readonly pending?:
    | Pick<PendingCall, "question" | "token" | "approvedBy" | "editable" | "because" | "job">
    | undefined;
  /** The last progress that its job reported. */
  readonly reported?: { readonly progress: unknown; readonly at: number } | undefined;
  /** `recorded`: it may have taken effect. */
  readonly begun?: "seen" | "recorded" | undefined;
  readonly progress?: unknown;
}

/** How a run leaves calls that have not ended: `asked` if they wait for an answer, `open` if not. Absent: they stay as they are. */
export interface CallsLeft {
  readonly isRunning: boolean;
  readonly asked?: ToolErrorKind | undefined;
  readonly open?: ToolErrorKind | undefined;
}

/** Updates what is known about a call to its recorded state. */
export function standCall(
  { part: known, begun, progress, reported }: KnownCall,
  standing: CallStanding,
  { runId, turn }: { readonly runId: string; readonly turn: number },
): KnownCall {
  const { call } = standing;
  const part = standing.edited === true ? editCall(known, call.args) : known;
  switch (standing.state) {
    case "ended":
      return { part, outcome: outcomeOf(standing.step.value) };
    case "settled":
      return { part, outcome: standing.outcome };
    case "asking": {
      const { question, asked, time } = standing;
      const pending = buildPendingCall(runId, { turn, callId: part.id, call, question }, asked, time);
      return { part, pending, reported };
    }
    case "begun":
      return { part, begun: "recorded", progress };
    default:
      return { part, begun, progress };
  }
}

/** The call with arguments that a person changed. */
export function editCall(part: ToolCallPart, args: JsonObject = {}): ToolCallPart {
  return { ...part, args, edited: true };
}

/** The outcome that answered a call. */
export function outcomeOf({ failure, part }: CallStepValue): ToolOutcome {
  return failure ?? { ok: true, output: part.functionResponse?.response["output"] };
}

/** A call as it is shown. */
export function showCall(known: KnownCall, left: CallsLeft): ToolCallPart {
  const { part, outcome, pending, begun, progress, reported } = known;
  if (outcome?.ok === true) return { ...part, state: "done", output: outcome.output ?? null };
  const mayBeDone =
    pending === undefined ? begun === "recorded" : pending.question === "unknown-outcome" || pending.job !== undefined;
  const leftAs = pending === undefined ? left.open : left.asked;
  const kind = outcome?.kind ?? (leftAs !== undefined && mayBeDone ? "unknown-outcome" : leftAs);
  if (kind !== undefined) return { ...part, ...failCall(kind) };
  if (pending !== undefined) {
    const { question, token, approvedBy, editable, because, job } = pending;
    // The keys of that table are states.
    const state = Object.entries(QUESTION_OF).find(([, one]) => one === question)?.[0] as ToolCallState | undefined;
    const asks = present({ token, approvedBy, editable, because });
    const shown = job && {
      job: present({ since: job.since, until: job.until, reportedAt: reported?.at }),
      ...(reported !== undefined && { progress: reported.progress }),
    };
    if (state !== undefined) return { ...part, state, asks, ...shown };
  }
  const shown = progress !== undefined && { progress: safeProgress(progress) };
  return { ...part, state: begun === undefined ? "called" : "running", ...shown };
}

/** How a failed call is shown. */
export function failCall(kind: ToolErrorKind): Pick<ToolCallPart, "state" | "failure"> {
  const isOwn = kind === "denied" || kind === "not-run" || kind === "cancelled";
  const state: ToolCallState = kind === "withdrawn" ? "not-run" : isOwn ? kind : "failed";
  return { state, failure: { kind, message: FAILURES[kind] ?? "The call failed." } };
}

/** What anybody may read about a call that failed: a tool's own text may contain paths, queries or host names. */
const FAILURES: { readonly [Kind in ToolErrorKind]: string } = {
  "not-found": "There is no such tool.",
  "bad-input": "The arguments of the call were not valid.",
  failed: "The tool failed.",
  timeout: "The call took too long.",
  cancelled: "The call was cancelled before it ended.",
  denied: "The call was denied.",
  withdrawn: "The request was withdrawn.",
  "unknown-outcome": "It is unknown whether the call took effect.",
  "not-run": "The call was not run.",
};

/**
 * A tool's progress, as it is shown. An agent in a call reports the events of its run, with signatures, arguments and results: only the
 * type, the turn and the text are shown.
 */
function safeProgress(progress: unknown): unknown {
  if (!isObject(progress) || !Array.isArray(progress["path"]) || !isObject(progress["event"])) return progress;
  const { type, turn, delta } = progress["event"];
  const isText = type === "text-delta" || type === "thought-delta";
  return { path: progress["path"], event: { type, ...(turn !== undefined && { turn }), ...(isText && { delta }) } };
}
