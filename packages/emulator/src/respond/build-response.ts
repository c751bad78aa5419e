import type { FunctionCall, GenerateContentResponse, GroundingMetadata, Part, UsageMetadata } from "@pollux/core/wire";
import type { Answer, AnswerPart } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import { createRandom } from "../internal/random.ts";
import type { Signer } from "../signatures.ts";
import { callsOfTurn } from "../validate/open-calls.ts";
import { answerParts, joinText, signParts } from "./answer-parts.ts";
import { type Ending, envelop, type Envelope } from "./envelope.ts";
import { estimateAnswerPart, modalityOf } from "./estimate-tokens.ts";
import { driftOffsets, groundingMetadata, jsonGrounding } from "./grounding.ts";
import { limitOutput } from "./limit-output.ts";
import { partialArgParts } from "./partial-args.ts";
import type { PromptCost } from "./prompt-cache.ts";
import { textDeltas } from "./text-deltas.ts";
import { usageMetadata } from "./usage.ts";

/** Input of {@link buildResponse} besides the answer. */
export interface ResponseFacts {
  readonly turn: BrainTurn;
  readonly cost: PromptCost;
  readonly signer: Signer;
  readonly responseId: string;
  readonly createTime: string;
  /** Characters of a text delta. */
  readonly deltaCharacters: number;
  /** Whether one in eight search responses has a signature of more than 100 KB. */
  readonly largeSignatures: boolean;
  readonly continuationToken: string | undefined;
  /** True for a later hop of a long answer: the first hop had the parts of built-in tools. */
  readonly resumed?: boolean | undefined;
  /** Adds continuation tokens to some chunks of a long answer. */
  readonly checkpoints?: Checkpoints | undefined;
}

/** Continuation tokens inside the stream of a long answer. */
export interface Checkpoints {
  /** Number of chunks between two tokens. */
  readonly every: number;
  /** A token for continuing with these parts, after this many tokens. */
  issue(left: readonly AnswerPart[], tokens: number): string;
}

/** An answer as the service would send it: one object, or the chunks of a stream. */
export function buildResponse(given: Answer, facts: ResponseFacts): readonly GenerateContentResponse[] {
  const { turn } = facts;
  const { answer, thoughtTokens } = limitOutput(given, turn);
  const parts = answerParts(answer, turn, facts.resumed === true);
  const plain = parts.map((item) => item.part);
  const { open, answered } = callsOfTurn(plain);
  const turnToken = answered.length > 0 ? `v1:${btoa(facts.responseId)}` : undefined;
  const envelope: Envelope = { turn, responseId: facts.responseId, createTime: facts.createTime, turnToken };
  const hasCalls = open.length > 0;
  const ending: Ending = { answer, hasCalls, continuationToken: facts.continuationToken };
  const found = groundingOf(answer, plain, turn);
  const grounding = found && answer.offsetDrift ? driftOffsets(found, answer.offsetDrift) : found;
  const toolUseTokens = answer.toolUseTokens ?? (answer.urlContext === undefined ? 0 : urlTokens(facts.responseId));
  const media = plain.find((part) => part.inlineData !== undefined)?.inlineData;
  const modality = media && modalityOf(media.mimeType);
  const usage = (candidatesTokens: number, cost = facts.cost, thoughts = thoughtTokens, toolUse = 0): UsageMetadata =>
    usageMetadata({ cost, candidatesTokens, thoughtTokens: thoughts, toolUseTokens: toolUse, modality }, turn.profile);
  const outputTokens = tokensOf(plain);
  const finalUsage = usage(outputTokens, facts.cost, thoughtTokens, toolUseTokens);
  const sign = (list: readonly Part[], text: boolean): Part[] =>
    answer.signed === false ? [...list] : signParts(list, turn, facts.signer, { text, large: facts.largeSignatures });

  if (!turn.streamed) {
    const joined = sign(joinText(plain), true);
    return [envelop(envelope, { parts: joined.length > 0 ? joined : undefined, usage: finalUsage, grounding, ending })];
  }

  const signed = sign(plain, false);
  const beats = streamBeats(
    parts.map((item, index) => ({ ...item, part: signed[index] ?? item.part })),
    answer,
    facts,
  );
  const answerBeats = [...beats];
  const byService = callsOfTurn(beats.flat()).answered;
  const closing = closingPart(plain, answer, facts);
  if (closing !== undefined) beats.push([closing]);
  if (beats.length === 0) return [envelop(envelope, { parts: undefined, usage: finalUsage, grounding, ending })];
  let sentTokens = 0;
  let afterTool = false;
  return beats.map((beat, index) => {
    const last = index === beats.length - 1;
    // A server-side step starts a new count; the last chunk has the true totals.
    if (beat.some((part) => part.toolResponse !== undefined)) [sentTokens, afterTool] = [0, true];
    else sentTokens = Math.min(sentTokens + tokensOf(beat), outputTokens);
    const running = afterTool
      ? usage(sentTokens, { prompt: { total: 8, details: [{ modality: "TEXT", tokenCount: 8 }] }, cachedTokens: 0 }, 0)
      : usage(sentTokens);
    const continuationToken = checkpointAfter(index, answerBeats, thoughtTokens, facts);
    const early = beat.some((part) => byService.includes(part)) ? CALLED : undefined;
    const preview = grounding !== undefined && beat.some((part) => part.text !== undefined) ? {} : undefined;
    return envelop(
      envelope,
      last
        ? { parts: beat, usage: finalUsage, grounding, ending }
        : { parts: beat, usage: running, grounding: preview, continuationToken, ending: early },
    );
  });
}

/** The service ends its turn at the call, and continues once it has the response. */
const CALLED: Ending = { answer: { parts: [] }, hasCalls: true };

function checkpointAfter(
  index: number,
  beats: readonly Part[][],
  thoughtTokens: number,
  { checkpoints }: ResponseFacts,
): string | undefined {
  if (checkpoints === undefined || (index + 1) % checkpoints.every !== 0 || index >= beats.length - 1) return undefined;
  // Streamed arguments stay together.
  if (
    beats.some((beat) => beat.some((part) => part.functionCall !== undefined && part.functionCall.name === undefined))
  )
    return undefined;
  const left = beats
    .slice(index + 1)
    .flat()
    .map((part) => ({ part, ...(part.text !== undefined && { deltas: [part.text] }) }));
  return checkpoints.issue(left, thoughtTokens + tokensOf(beats.slice(0, index + 1).flat()));
}

/** Groups parts into chunks. */
function streamBeats(parts: readonly AnswerPart[], answer: Answer, facts: ResponseFacts): Part[][] {
  const { turn, deltaCharacters } = facts;
  const perChunk = answer.callsPerChunk ?? (turn.model.generation >= 3 ? 1 : Number.POSITIVE_INFINITY);
  const streamsArgs =
    turn.profile === "vertex" && turn.request.toolConfig?.functionCallingConfig?.streamFunctionCallArguments === true;
  const beats: Part[][] = [];
  let callsInBeat = 0;
  for (const { part, deltas } of parts) {
    if (part.functionCall !== undefined && streamsArgs) {
      for (const piece of partialArgParts(part as Part & { readonly functionCall: FunctionCall })) beats.push([piece]);
    } else if (part.functionCall !== undefined) {
      if (callsInBeat > 0 && callsInBeat < perChunk) beats.at(-1)?.push(part);
      else beats.push([part]);
      callsInBeat = callsInBeat > 0 && callsInBeat < perChunk ? callsInBeat + 1 : 1;
      continue;
    } else if (part.text !== undefined && part.thoughtSignature === undefined) {
      const { text: _text, ...flags } = part;
      for (const text of deltas ?? textDeltas(part.text, deltaCharacters)) beats.push([{ text, ...flags }]);
    } else if (part.inlineData?.mimeType.startsWith("audio/L16") === true && part.thoughtSignature === undefined) {
      for (const data of soundPieces(part.inlineData.data)) beats.push([{ inlineData: { ...part.inlineData, data } }]);
    } else {
      beats.push([part]);
    }
    callsInBeat = 0;
  }
  return beats;
}

/** The size of the service's pieces is unrecorded. With a power of two, each piece has base64 padding. */
const SOUND_BYTES = 8_192;

function* soundPieces(data: string): Generator<string> {
  const bytes = Buffer.from(data, "base64");
  for (let at = 0; at < bytes.length; at += SOUND_BYTES) yield bytes.subarray(at, at + SOUND_BYTES).toString("base64");
}

/** The empty text with which newer models end a stream: signed after text, unsigned after calls. */
function closingPart(parts: readonly Part[], answer: Answer, { turn, signer }: ResponseFacts): Part | undefined {
  const last = parts.at(-1);
  if (turn.model.generation < 3 || !turn.model.signaturesIssued || last === undefined) return undefined;
  if (last.functionCall !== undefined) return { text: "" };
  if (last.text === undefined || last.thought === true || last.thoughtSignature !== undefined) return undefined;
  if (answer.signed === false || parts.some((part) => part.functionCall !== undefined)) return { text: "" };
  return { text: "", thoughtSignature: signer.sign({ text: "" }, turn.model.family) };
}

/** Identical requests with URL context have been seen with and without these tokens. */
function urlTokens(responseId: string): number {
  return createRandom(`url context ${responseId}`).int(1, 4) === 1 ? 0 : 120;
}

function groundingOf(answer: Answer, parts: readonly Part[], turn: BrainTurn): GroundingMetadata | undefined {
  if (answer.grounding !== undefined) return answer.grounding;
  if (answer.search === undefined) return undefined;
  const text = parts
    .filter((part) => part.thought !== true)
    .map((part) => part.text ?? "")
    .join("");
  // While functions are still being called, there is nothing to ground yet.
  if (text === "") return undefined;
  if (turn.request.generationConfig?.responseMimeType === "application/json") return jsonGrounding(answer.search);
  return groundingMetadata(answer.search, text, turn.profile);
}

function tokensOf(parts: readonly Part[]): number {
  return parts.filter((part) => part.thought !== true).reduce((sum, part) => sum + estimateAnswerPart(part), 0);
}
