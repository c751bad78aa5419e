import { type CompactStepValue, stepName, type StepPlace, type StepTimes } from "../../durable/run-log.ts";
import { ConfigurationError, messageOf } from "../../errors/agent-error.ts";
import { ApiStatusError } from "../../errors/api-errors.ts";
import { checkPairing } from "../../model/history/open-calls.ts";
import type { Model } from "../../model/model.ts";
import { SUMMARY_HEADING } from "../../tool/model-texts.ts";
import type { Handoff, NestedRun } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import type { RunState } from "../run-state.ts";
import { isRecorded, singleStep } from "../single-step.ts";
import { closeOpenCalls, userText } from "../transcript.ts";
import { type CompactionState, estimateTokens, findBoundaries, thresholdPolicy } from "./compaction.ts";

/**
 * Replaces the oldest messages with a summary when the next prompt would fill too much of the model's window. The history itself stays
 * complete. A recorded decision is not made again.
 * @param refused - Counts the requests of the turn, from 1, up to the one that was refused
 * as too long.
 * @returns True when something was replaced.
 */
export async function compactWhenFull(
  input: LoopInput,
  state: RunState,
  refused?: number,
): Promise<boolean | "wall-time"> {
  const { turns: turn } = state;
  const place: StepPlace = { kind: "compact", turn, ...(refused !== undefined && { overflow: refused }) };
  const name = stepName(place);
  const wasAsked = refused === undefined && isRecorded(input, { kind: "model", phase: "work", turn, attempt: 0 });
  const wasMade = isRecorded(input, place);
  const plan = wasAsked || wasMade ? undefined : planSummary(input, state, refused !== undefined);
  if (plan === undefined && !wasMade) return false;
  return await replaceContents(input, state, place, async ({ signal, traceparent }) => {
    if (plan === undefined) throw new RangeError(`${name} was made and is not in the journal`);
    const { known, cut, room, summarize } = plan;
    const nested: NestedRun[] = [];
    const ask = (piece: readonly Content[]): Promise<string> =>
      summarize(piece, { step: name, signal, traceparent }, (run) => void nested.push(run));
    const summary = await summarizeInPieces(known, cut, room, ask);
    const tokensAfter = estimateTokens([...summaryContents(summary), ...known.contents.slice(cut)]);
    return { summary, replaced: cut, tokensBefore: known.promptTokens, tokensAfter, nested };
  });
}

/** Lets the filter of a handoff choose the contents for the agent that took over, in its first turn. The history itself stays complete. */
export async function filterHandoff(
  input: LoopInput,
  state: RunState,
  filter: NonNullable<Handoff["filter"]>,
): Promise<true | "wall-time"> {
  return await replaceContents(input, state, { kind: "compact", turn: state.turns, handoff: true }, async () => {
    const sent = state.sendable();
    const contents = filtered(filter([...sent]), sent, input.model);
    const [tokensBefore, tokensAfter] = [estimateTokens(sent), estimateTokens(contents)];
    return { summary: "", contents, replaced: sent.length, tokensBefore, tokensAfter, nested: [] };
  });
}

/** Sends the contents that a step makes in place of the first ones. */
async function replaceContents(
  input: LoopInput,
  state: RunState,
  place: StepPlace,
  make: (step: LoopStep) => Promise<Omit<CompactStepValue, keyof StepTimes>>,
): Promise<true | "wall-time"> {
  const outcome = await singleStep(input, place, async (step): Promise<CompactStepValue> => {
    const startedAt = input.now();
    return { ...(await make(step)), startedAt, endedAt: input.now() };
  });
  if (outcome === "wall-time") return outcome;
  const { value } = outcome;
  const { compaction, turns: turn } = state;
  const keepFrom = value.replaced + (compaction === undefined ? 0 : compaction.keepFrom - compaction.summary.length);
  const noted = state.openTurns.at(-1)?.steps.at(-1);
  if (noted !== undefined) noted.keepFrom = keepFrom;
  addSummary(state, value, keepFrom);
  if (input.emit !== undefined) await input.emit(compactEvent(turn, value));
  return true;
}

/** Sends a summary in place of the contents before an index, unless that index is unknown. */
export function addSummary(state: RunState, value: CompactStepValue, keepFrom: number | undefined): void {
  state.addActiveTime(value.startedAt, value.endedAt);
  for (const run of value.nested) state.addNested({ ...run, responses: [] });
  if (keepFrom !== undefined) state.compact(compactedContents(value), keepFrom);
}

function planSummary({ compaction }: LoopInput, state: RunState, isRefused: boolean) {
  if (compaction === undefined) return undefined;
  const { options, windowTokens, summarize } = compaction;
  const contents = state.sendable();
  const promptTokens = isRefused ? windowTokens : state.promptTokens();
  // A refused prompt shows how far off the estimate is.
  const scale = isRefused ? Math.max(1, windowTokens / estimateTokens(contents)) : 1;
  const known: CompactionState = {
    contents,
    promptTokens,
    windowTokens,
    boundaries: findBoundaries(contents),
    tokensFrom: (index) => scale * estimateTokens(contents.slice(index)),
  };
  const cut = (options.policy ?? thresholdPolicy(options))(known);
  if (cut === undefined || cut <= 0) return undefined;
  if (!known.boundaries.includes(cut))
    throw new TypeError(
      `the compaction policy cut at ${cut}, but history may only be cut at ${known.boundaries.join(", ")}`,
    );
  // Tokens of the largest piece that is summarized at once.
  const room = (isRefused ? 0.5 : 0.9) * windowTokens;
  return { known, cut, room, summarize };
}

/** The event of a summary. */
export function compactEvent(turn: number, value: CompactStepValue): RunEvent {
  const { replaced, summary, tokensBefore, tokensAfter } = value;
  return { type: "compact", turn, replaced, summary, tokensBefore, tokensAfter };
}

/** Summarizes the contents before the cut in pieces that fit the model; smaller ones when it refuses. */
async function summarizeInPieces(
  known: CompactionState,
  cut: number,
  room: number,
  ask: (piece: readonly Content[]) => Promise<string>,
): Promise<string> {
  const pieces = piecesOf(known, cut, room);
  try {
    let summary = "";
    for (const piece of pieces) summary = await ask([...(summary === "" ? [] : summaryContents(summary)), ...piece]);
    return summary;
  } catch (error) {
    // Smaller pieces do not exist.
    if (!isPromptTooLong(error) || piecesOf(known, cut, room / 2).length === pieces.length) throw error;
    return await summarizeInPieces(known, cut, room / 2, ask);
  }
}

/** The contents before the cut, split at the user's messages into pieces of at most `room` tokens where possible. */
function piecesOf({ contents, boundaries, tokensFrom }: CompactionState, cut: number, room: number): Content[][] {
  const pieces: Content[][] = [];
  const places = [...boundaries.filter((index) => index > 0 && index < cut), cut];
  let from = 0;
  for (const [index, to] of places.entries()) {
    const next = places[index + 1];
    if (next === undefined || tokensFrom(from) - tokensFrom(next) > room) {
      pieces.push(contents.slice(from, to));
      from = to;
    }
  }
  return pieces;
}

/** The contents that a step sends in place of the ones it has replaced. */
export function compactedContents({ summary, contents }: CompactStepValue): readonly Content[] {
  return contents ?? summaryContents(summary);
}

function summaryContents(summary: string): readonly Content[] {
  return [userText(`${SUMMARY_HEADING}\n\n${summary}`)];
}

/** True when the service refused a prompt as too long. @see https://ai.google.dev/gemini-api/docs/troubleshooting */
export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApiStatusError && /input token count.*exceeds the maximum/is.test(error.message);
}

/** The contents that a filter has left, from a message on: calls need one before them, and responses their calls. Checked before storing. */
function filtered(left: readonly Content[], sent: readonly Content[], { capabilities }: Model): readonly Content[] {
  if (!Array.isArray(left)) throw new TypeError("the filter of a handoff must return a list of contents");
  if (left.length === 0) throw new TypeError("the filter of a handoff must leave something to answer");
  const [first] = findBoundaries(left);
  const calling = left.findIndex(({ role }) => role === "model");
  const question = sent.slice(findBoundaries(sent).at(-1)).slice(0, 1);
  const contents = closeOpenCalls(
    first === undefined ? [...question, ...(calling === -1 ? [] : left.slice(calling))] : left.slice(first),
  );
  try {
    checkPairing(contents, capabilities);
  } catch (error) {
    const why = messageOf(error).replace(/^.*?: |;.*$/g, "");
    throw new ConfigurationError(`the filter of a handoff leaves invalid contents: ${why}`, { cause: error });
  }
  return contents;
}
