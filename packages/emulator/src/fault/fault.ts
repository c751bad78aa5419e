import type { Answer } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";

/** An error instead of an answer: status, headers and the exact body. */
export interface StatusFault {
  readonly kind: "status";
  readonly rule: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Text in the body to replace with the id of the request's model. */
  readonly modelText?: string | undefined;
}

/** An answer that replaces the brain's. */
export interface AnswerFault {
  readonly kind: "answer";
  readonly rule: string;
  replace(turn: BrainTurn): Answer;
  /** Removes something from the finished response, such as its candidates. */
  readonly without?: "candidates" | "content" | "parts" | "content-fields" | undefined;
  readonly promptFeedback?:
    | { readonly blockReason: string; readonly blockReasonMessage?: string | undefined }
    | undefined;
}

/** An error object in a stream that started normally. Unary requests get `status` and the object as their body. */
export interface StreamErrorFault {
  readonly kind: "stream-error";
  readonly rule: string;
  readonly status: number;
  /** The JSON object to send. */
  readonly data: unknown;
  /** Chunks sent before it. */
  readonly afterChunks: number;
  /** Without `data:` in front, as some proxies do. */
  readonly bare: boolean;
  /** A line that a proxy sends after it, such as `data: [DONE]`. */
  readonly trailer?: string | undefined;
}

/** A body that is truncated. */
export interface CutFault {
  readonly kind: "cut";
  readonly rule: string;
  /** Whole chunks sent before the end. */
  readonly afterChunks?: number | undefined;
  /** Bytes of the body sent before the end; takes precedence over `afterChunks`. */
  readonly atByte?: number | undefined;
  /** Whether the connection is reset rather than closed. */
  readonly reset: boolean;
}

/** A slow answer. */
export interface SlowFault {
  readonly kind: "slow";
  readonly rule: string;
  /** Milliseconds before the headers. */
  readonly firstByteMs: number;
  /** Milliseconds of silence in the body; `Infinity` until the client gives up. */
  readonly stallMs: number;
  /** Chunks sent before the silence. */
  readonly afterChunks: number;
}

/** A chunk with only usage, somewhere in a stream. Unary answers are not affected. */
export interface UsageChunkFault {
  readonly kind: "usage-chunk";
  readonly rule: string;
  /** Chunks sent before it. */
  readonly afterChunks: number;
}

/** The brain's answer, changed to that of a misbehaving model. Sent like any other. */
export interface MisbehaviorFault {
  readonly kind: "misbehavior";
  readonly rule: string;
  change(answer: Answer, turn: BrainTurn): Answer;
}

/** Something that goes wrong with an answer. */
export type Fault =
  | MisbehaviorFault
  | StatusFault
  | AnswerFault
  | StreamErrorFault
  | CutFault
  | SlowFault
  | UsageChunkFault;

/** The request, as a rule sees it. */
export interface FaultRequest {
  /** 1 for the first request that generates content, in order of arrival; retries count. */
  readonly number: number;
  readonly path: string;
  readonly streamed: boolean;
  readonly body: unknown;
}

/** Applies a fault to some requests. */
export interface FaultRule {
  /** Numbers of the requests (1 is the first), or a predicate. */
  readonly at: number | readonly number[] | ((request: FaultRequest) => boolean);
  readonly fault: Fault;
}

/** The fault of the first rule that matches. */
export function findFault(rules: readonly FaultRule[], request: FaultRequest): Fault | undefined {
  return rules.find(({ at }) => {
    if (typeof at === "function") return at(request);
    return typeof at === "number" ? at === request.number : at.includes(request.number);
  })?.fault;
}
