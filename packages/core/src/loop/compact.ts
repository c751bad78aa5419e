import { RunStepError } from "../errors/run-errors.ts";
import type { NestedRun } from "../tool/tool.ts";
import type { Content } from "../wire/content.ts";
import { boundariesOf, type CompactionState, thresholdPolicy } from "./compaction.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import type { RunEvent } from "./events.ts";
import { isPromptTooLong } from "./prompt-too-long.ts";
import type { LoopInput } from "./loop-input.ts";
import type { RunState } from "./run-state.ts";
import { userText } from "./transcript.ts";
import { isWallTimeReached, withinWallTime } from "./wall-clock.ts";

/** What a compaction step leaves in the journal. */
interface CompactStepValue {
  readonly summary: string;
  readonly nested: readonly NestedRun[];
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * Puts a summary in the place of the oldest messages, when the next prompt would fill too much of the model's window. The history
 * itself stays whole; only what is sent gets shorter.
 *
 * @param overflow - The service has refused the prompt as too long: cut wherever it can be cut.
 * @returns Whether something was cut.
 */
export async function* compactWhenFull(
  input: LoopInput,
  state: RunState,
  overflow: boolean = false,
): AsyncGenerator<RunEvent, boolean, void> {
  const { compaction } = input;
  if (compaction === undefined) return false;
  const { options, windowTokens, summarize } = compaction;
  const contents = state.sendable();
  const promptTokens = overflow ? windowTokens : state.promptTokens();
  // A prompt that was refused shows how far the estimate is off.
  const scale = overflow ? Math.max(1, windowTokens / estimateTokens(contents)) : 1;
  const known: CompactionState = {
    contents,
    promptTokens,
    windowTokens,
    boundaries: boundariesOf(contents),
    tokensFrom: (index) => scale * estimateTokens(contents.slice(index)),
  };
  const policy = options.policy ?? thresholdPolicy(options);
  const cut = policy(known);
  if (cut === undefined || cut <= 0) return false;
  if (!known.boundaries.includes(cut)) {
    throw new TypeError(
      `the compaction policy cut at ${cut}, and history may only be cut at ${known.boundaries.join(", ")}`,
    );
  }

  const name = `compact:${state.turns}${overflow ? `.${++state.overflows}` : ""}`;
  let failure: { readonly error: unknown } | undefined;
  const [outcome] = await input.steps.round([
    {
      kind: "step",
      name,
      run: async (step): Promise<CompactStepValue> => {
        const startedAt = input.now();
        const nested: NestedRun[] = [];
        try {
          const summary = await withinWallTime(input.clock, step, ({ signal }) => {
            const ask = (piece: readonly Content[]): Promise<string> =>
              summarize(piece, signal, (run) => void nested.push(run));
            return summarizeInPieces(known, cut, (overflow ? 0.5 : 0.9) * windowTokens, ask);
          });
          return { summary, nested, startedAt, endedAt: input.now() };
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
    },
  ]);
  if (isWallTimeReached(outcome?.ok === false ? outcome.error : undefined)) return false; // the request finds out
  if (outcome?.ok !== true) {
    if (failure !== undefined) throw failure.error;
    throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
  }
  // The value is what the step returned, through JSON.
  const value = outcome.value as unknown as CompactStepValue;
  state.sawTime(value.startedAt, value.endedAt);
  for (const run of value.nested) state.sawNested({ ...run, responses: [] });
  state.compact(summaryContents(value.summary), cut);
  yield {
    type: "compact",
    turn: state.turns,
    replaced: cut,
    summary: value.summary,
    tokensBefore: promptTokens,
    tokensAfter: state.promptTokens(),
  };
  return true;
}

/** Sums up what stands before the cut, in pieces that the model takes: smaller ones when it refuses. */
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
    // Every piece is one message by now, or the guess was too high.
    if (!isPromptTooLong(error) || piecesOf(known, cut, room / 2).length === pieces.length) throw error;
    return await summarizeInPieces(known, cut, room / 2, ask);
  }
}

/** The contents before the cut in pieces, each a request for a summary that the model can take, parted at the user's messages. */
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
  return [userText(`${HEADING}\n\n${summary}`)];
}

const HEADING = "Summary of the conversation so far, which stands for its earlier messages:";

/** What a summary is asked for with. */
export const SUMMARY_REQUEST: string =
  "Summarise the conversation above for yourself: it will take the place of these messages. Keep every fact, name, number, " +
  "identifier, decision, result of a tool and wish of the user that may still matter, and what is still open. Write plain text, no preamble.";
