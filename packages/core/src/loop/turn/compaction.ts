import { type CompactStepValue, stepName, type StepPlace } from "../../durable/run-log.ts";
import { ApiStatusError } from "../../errors/api-errors.ts";
import { checkOptions, namesIn, type OptionNames } from "../../internal/option-names.ts";
import { SUMMARY_HEADING } from "../../tool/model-texts.ts";
import type { NestedRun } from "../../tool/tool.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { isRecorded, singleStep } from "../single-step.ts";
import { userText } from "../transcript.ts";

/** What a policy sees when it decides whether and where to cut a history. */
export interface CompactionState {
  /** What the next request would send, oldest first. */
  readonly contents: readonly Content[];
  /** Approximate tokens of its prompt. */
  readonly promptTokens: number;
  /** Prompt tokens the model accepts. */
  readonly windowTokens: number;
  /**
   * Indices where the history may be cut, ascending: those of the user's messages, so that calls keep their responses. None is
   * after the last message, so that the current turn keeps its signatures.
   */
  readonly boundaries: readonly number[];
  /** Approximate tokens of the contents from an index to the end. */
  readonly tokensFrom: (index: number) => number;
}

/** Returns the index before which contents are replaced by a summary; `undefined` keeps them all. */
export type CompactionPolicy = (state: CompactionState) => number | undefined;

/** How a history is kept within the model's context window. */
export interface CompactionOptions {
  /** Share of the window that a prompt may fill before the history is cut. @defaultValue 0.8 */
  readonly threshold?: number | undefined;
  /** Share of the window that the remaining messages may fill. @defaultValue 0.3 */
  readonly keep?: number | undefined;
  /** Prompt tokens the model accepts. @defaultValue the known limit of its family */
  readonly windowTokens?: number | undefined;
  /** Prompt for the summary. @defaultValue asks for all facts, decisions and open points */
  readonly instructions?: string | undefined;
  /** Replaces `threshold` and `keep`. Must be pure. */
  readonly policy?: CompactionPolicy | undefined;
}

/** A compacted history: the replacement of its beginning. */
export interface Compaction {
  /** What is sent in place of the contents before {@link Compaction.keepFrom}. */
  readonly summary: readonly Content[];
  /** Index of the first content that is still sent. */
  readonly keepFrom: number;
}

/** The default policy: keeps a share of the window once a threshold is passed. */
export function thresholdPolicy({ threshold = 0.8, keep = 0.3 }: CompactionOptions): CompactionPolicy {
  return ({ promptTokens, windowTokens, boundaries, tokensFrom }) => {
    if (promptTokens < threshold * windowTokens) return undefined;
    const cuts = boundaries.filter((index) => index > 0);
    // The earliest cut that leaves few enough tokens, or the last one.
    return cuts.find((index) => tokensFrom(index) <= keep * windowTokens) ?? cuts.at(-1);
  };
}

/** The indices of the user's messages: user contents that answer no call. */
export function findBoundaries(contents: readonly Content[]): number[] {
  // What follows an answer directly may be its media.
  const isMessage = (content: Content, index: number): boolean =>
    content.role === "user" && !isAnswer(content) && !isAnswer(contents[index - 1]);
  return contents.flatMap((content, index) => (isMessage(content, index) ? index : []));
}

/** The model's own contents may have responses, too: those of the service to its own calls. */
function isAnswer(content: Content | undefined): boolean {
  return content?.role === "user" && content.parts.some((part) => part.functionResponse !== undefined);
}

const OPTIONS: OptionNames<CompactionOptions> = namesIn("threshold keep windowTokens instructions policy");

/** @throws {TypeError} Naming the invalid option. */
export function checkCompaction(options: CompactionOptions | false | undefined): void {
  if (options === undefined || options === false) return;
  checkOptions("compaction", options, OPTIONS);
  const { threshold = 0.8, keep = 0.3, windowTokens = 1 } = options;
  if (!(threshold > 0 && threshold <= 1))
    throw new TypeError(`compaction.threshold must be greater than 0 and at most 1, got ${threshold}`);
  if (!(keep >= 0 && keep < threshold))
    throw new TypeError(`compaction.keep must be at least 0 and below the threshold of ${threshold}, got ${keep}`);
  if (!(windowTokens > 0))
    throw new TypeError(`compaction.windowTokens must be a positive number, got ${windowTokens}`);
}

/**
 * Replaces the oldest messages with a summary when the next prompt would fill too much of the model's window. The history
 * itself stays complete; only what is sent gets shorter. What a journal has is not decided again.
 *
 * @param refused - Counts the requests of the turn, from 1, up to the one that the service refused as too long.
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
  const outcome = await singleStep(input, place, async ({ signal, traceparent }): Promise<CompactStepValue> => {
    if (plan === undefined) throw new RangeError(`${name} was made and is not in the journal`);
    const { known, cut, room, summarize } = plan;
    const startedAt = input.now();
    const nested: NestedRun[] = [];
    const ask = (piece: readonly Content[]): Promise<string> =>
      summarize(piece, { step: name, signal, traceparent }, (run) => void nested.push(run));
    const summary = await summarizeInPieces(known, cut, room, ask);
    const tokensAfter = estimateTokens([...summaryContents(summary), ...known.contents.slice(cut)]);
    const tokens = { tokensBefore: known.promptTokens, tokensAfter };
    return { summary, replaced: cut, ...tokens, nested, startedAt, endedAt: input.now() };
  });
  if (outcome === "wall-time") return outcome;
  const { value } = outcome;
  const { compaction } = state;
  const keepFrom = value.replaced + (compaction === undefined ? 0 : compaction.keepFrom - compaction.summary.length);
  const noted = state.openTurns.at(-1)?.steps.at(-1);
  if (noted !== undefined) noted.keepFrom = keepFrom;
  addSummary(state, value, keepFrom);
  if (input.emit !== undefined) await input.emit(compactEvent(turn, value));
  return true;
}

/** Sends a summary in place of the contents before an index; not where that index is unknown. */
export function addSummary(
  state: RunState,
  { summary, nested, startedAt, endedAt }: CompactStepValue,
  keepFrom: number | undefined,
): void {
  state.addActiveTime(startedAt, endedAt);
  for (const run of nested) state.addNested({ ...run, responses: [] });
  if (keepFrom !== undefined) state.compact(summaryContents(summary), keepFrom);
}

/** Decides whether anything is replaced. */
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

/** What is sent in place of what was summarized. */
export function summaryContents(summary: string): readonly Content[] {
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

/** In English, as the service documents it. */
const CHARACTERS_PER_TOKEN = 4;
/** Scripts without spaces take about one token per character. */
const DENSE = /[\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\u0E00-\u0E7F\u{20000}-\u{2FA1F}]/gu;
const IMAGE_TOKENS = 258;
/** Of a compressed recording, roughly. */
const BYTES_PER_SECOND = 16_000;
const AUDIO_TOKENS_PER_SECOND = 32;
const VIDEO_TOKENS_PER_SECOND = 263;
const PDF_BYTES_PER_PAGE = 50_000;

/**
 * Estimates the prompt tokens of contents; for text, within about 20 percent. The service's own count is in `usage`.
 *
 * @see https://ai.google.dev/gemini-api/docs/tokens
 */
export function estimateTokens(contents: readonly Content[]): number {
  let tokens = 0;
  for (const content of contents) for (const part of content.parts) tokens += tokensOfPart(part);
  return Math.ceil(tokens);
}

function tokensOfPart(part: Part): number {
  if (part.text !== undefined) return tokensOfText(part.text);
  if (part.inlineData !== undefined) return tokensOfMedia(part.inlineData.mimeType, part.inlineData.data.length * 0.75);
  if (part.fileData !== undefined) return tokensOfMedia(part.fileData.mimeType ?? "", 0);
  // The model does not read signatures.
  const { thoughtSignature: _signature, ...rest } = part;
  let characters = 0;
  for (const value of Object.values(rest)) if (value !== undefined) characters += JSON.stringify(value).length;
  return characters / CHARACTERS_PER_TOKEN;
}

function tokensOfText(text: string): number {
  const dense = text.match(DENSE)?.length ?? 0;
  return dense + (text.length - dense) / CHARACTERS_PER_TOKEN;
}

function tokensOfMedia(mimeType: string, bytes: number): number {
  const seconds = Math.max(1, bytes / BYTES_PER_SECOND);
  if (mimeType.startsWith("audio/")) return seconds * AUDIO_TOKENS_PER_SECOND;
  if (mimeType.startsWith("video/")) return seconds * VIDEO_TOKENS_PER_SECOND;
  if (mimeType === "application/pdf") return Math.max(1, bytes / PDF_BYTES_PER_PAGE) * IMAGE_TOKENS;
  if (mimeType.startsWith("text/")) return bytes / CHARACTERS_PER_TOKEN;
  return IMAGE_TOKENS;
}
