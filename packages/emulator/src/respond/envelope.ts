import type { Candidate, GenerateContentResponse, GroundingMetadata, Part, UsageMetadata } from "@pollux/core/wire";
import type { Answer } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import { logprobsOf } from "./logprobs.ts";

/** The values that all chunks of one response share. */
export interface Envelope {
  readonly turn: BrainTurn;
  readonly responseId: string;
  readonly createTime: string;
  /** Only in a turn that the service continued after a call. */
  readonly turnToken?: string | undefined;
}

/** The content of one chunk. */
export interface Piece {
  /** Undefined omits `parts`. */
  readonly parts: readonly Part[] | undefined;
  readonly usage: UsageMetadata;
  readonly grounding?: GroundingMetadata | undefined;
  /** A token for continuing after this chunk; the last chunk has its own. */
  readonly continuationToken?: string | undefined;
  /** Only in the last chunk, and in one with a call that the service answers itself. */
  readonly ending?: Ending | undefined;
}

/** How a response ends. */
export interface Ending {
  readonly answer: Answer;
  readonly hasCalls: boolean;
  readonly continuationToken?: string | undefined;
}

/** One response object, with its fields in the profile's order. */
export function envelop({ turn, responseId, createTime, turnToken }: Envelope, piece: Piece): GenerateContentResponse {
  const cloud = isCloud(turn);
  return {
    candidates: [candidateOf(turn, piece)],
    ...(turnToken !== undefined && { turnToken }),
    usageMetadata: piece.usage,
    modelVersion: turn.model.routedTo ?? turn.model.id,
    ...(cloud && { createTime }),
    responseId,
  };
}

/** True if answers look like Vertex's. */
export function isCloud(turn: BrainTurn): boolean {
  return turn.profile === "vertex" || turn.profile === "comet";
}

function candidateOf(turn: BrainTurn, piece: Piece): Candidate {
  const cloud = isCloud(turn);
  const { parts, ending, grounding } = piece;
  const content = cloud ? { role: "model", ...(parts && { parts }) } : { ...(parts && { parts }), role: "model" };
  const { answer } = ending ?? {};
  const { responseLogprobs = false, logprobs = 0 } = turn.request.generationConfig ?? {};
  const logprobsResult = responseLogprobs && cloud ? logprobsOf(parts ?? [], logprobs) : undefined;
  const continuationToken = ending?.continuationToken ?? piece.continuationToken;
  const finishMessage = answer?.finishMessage ?? (ending && defaultFinishMessage(turn, ending));
  return {
    content,
    ...(ending && { finishReason: answer?.finishReason ?? "STOP" }),
    ...(!cloud && { index: 0 }),
    ...(finishMessage !== undefined && { finishMessage }),
    ...(grounding && { groundingMetadata: grounding }),
    ...(answer?.urlContext && { urlContextMetadata: answer.urlContext }),
    ...(ending && cloud && { avgLogprobs: -0.25 - turn.random.next() / 2 }),
    ...(logprobsResult && { logprobsResult }),
    ...(continuationToken !== undefined && { continuationToken }),
  };
}

function defaultFinishMessage(turn: BrainTurn, ending: Ending): string | undefined {
  const sends = ending.hasCalls && !isCloud(turn) && turn.model.generation >= 2.5;
  return sends && (ending.answer.finishReason ?? "STOP") === "STOP" ? "Model generated function call(s)." : undefined;
}
