import { compactStepName, type CompactStepValue } from "../../durable/run-log.ts";
import { ApiStatusError } from "../../errors/api-errors.ts";
import { SUMMARY_HEADING } from "../../tool/model-texts.ts";
import type { NestedRun } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import { findBoundaries, thresholdPolicy, estimateTokens, type CompactionState } from "./compaction.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { userText } from "../transcript.ts";

/**
 * Replaces the oldest messages with a summary when the next prompt would fill too much of the model's window. The history
 * itself stays complete; only what is sent gets shorter.
 *
 * @param overflow - The service has refused the prompt as too long.
 * @returns True when something was replaced.
 */
export async function compactWhenFull(input: LoopInput, state: RunState, overflow: boolean = false): Promise<boolean> {
  const { compaction } = input;
  if (compaction === undefined) return false;
  const { options, windowTokens, summarize } = compaction;
  const contents = state.sendable();
  const promptTokens = overflow ? windowTokens : state.promptTokens();
  // A refused prompt shows how far off the estimate is.
  const scale = overflow ? Math.max(1, windowTokens / estimateTokens(contents)) : 1;
  const known: CompactionState = {
    contents,
    promptTokens,
    windowTokens,
    boundaries: findBoundaries(contents),
    tokensFrom: (index) => scale * estimateTokens(contents.slice(index)),
  };
  const cut = (options.policy ?? thresholdPolicy(options))(known);
  if (cut === undefined || cut <= 0) return false;
  if (!known.boundaries.includes(cut))
    throw new TypeError(
      `the compaction policy cut at ${cut}, but history may only be cut at ${known.boundaries.join(", ")}`,
    );

  const name = compactStepName(state.turns, overflow ? ++state.overflows : undefined);
  const outcome = await singleStep(input, name, async ({ signal, traceparent }): Promise<CompactStepValue> => {
    const startedAt = input.now();
    const nested: NestedRun[] = [];
    const ask = (piece: readonly Content[]): Promise<string> =>
      summarize(piece, { step: name, signal, traceparent }, (run) => void nested.push(run));
    const summary = await summarizeInPieces(known, cut, (overflow ? 0.5 : 0.9) * windowTokens, ask);
    return { summary, nested, startedAt, endedAt: input.now() };
  });
  if (outcome === "wall-time") return false; // the next request ends the run
  const { summary, nested, startedAt, endedAt } = outcome.value;
  state.addActiveTime(startedAt, endedAt);
  for (const run of nested) state.addNested({ ...run, responses: [] });
  state.compact(summaryContents(summary), cut);
  if (input.emit !== undefined)
    await input.emit({
      type: "compact",
      turn: state.turns,
      replaced: cut,
      summary,
      tokensBefore: promptTokens,
      tokensAfter: state.promptTokens(),
    });
  return true;
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

function summaryContents(summary: string): readonly Content[] {
  return [userText(`${SUMMARY_HEADING}\n\n${summary}`)];
}

/**
 * True when the service refused a request because its prompt exceeds the model's limit.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApiStatusError && /input token count.*exceeds the maximum/is.test(error.message);
}
