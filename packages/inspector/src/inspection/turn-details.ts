import type { Citation, Json, Source } from "@pollux/core";
import type { ReadError } from "./read-values.ts";
import type { StepRow, TurnRow } from "./inspection.ts";
import type { TurnUsage } from "./usage.ts";

/** One turn in full. */
export interface TurnDetails {
  readonly runId: string;
  readonly row: TurnRow;
  /** Contents that the turn added before its answer: the message that started the run, steering, a summary. */
  readonly before: readonly ContentView[];
  /** Each answer in the order of the requests; all but the last are void. */
  readonly answers: readonly AnswerView[];
  /** Its calls, in call order. */
  readonly calls: readonly CallDetails[];
  /** The content that answered the calls, as sent. */
  readonly responses: readonly ContentView[];
  /** Notes of guardrails, hooks, routes and compaction. */
  readonly notes: readonly NoteView[];
  /** Sources that citations refer to by number, of the run up to this turn. */
  readonly sources: readonly SourceView[];
  /** The turn's entries in the log, as stored. */
  readonly entries: readonly { readonly position: number; readonly entry: Json }[];
}

/** A content, with its parts as chips. */
export interface ContentView {
  readonly role: string;
  /** Why it is here. */
  readonly origin: "input" | "steering" | "summary" | "answer" | "unfinished" | "responses" | "media" | "asks-again";
  readonly parts: readonly PartView[];
}

/** What a part is. */
export type PartKind =
  | "text"
  | "thought"
  | "call"
  | "response"
  | "server-call"
  | "server-response"
  | "code"
  | "code-result"
  | "media"
  /** A signature alone, or nothing at all. */
  | "empty"
  /** No data field that this release knows. */
  | "unknown";

/** One part. The fields that are set follow from its kind; `raw` has all of it. */
export interface PartView {
  readonly kind: PartKind;
  /** Place in its content. */
  readonly index: number;
  /** Of a text, thought, piece of code or result of code. */
  readonly text?: string | undefined;
  readonly signature?: SignatureView | undefined;
  /** Of a call, response, or tool of the service. */
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly args?: Json | undefined;
  readonly response?: Json | undefined;
  /** Key of the call in the log, such as `call:3.0`. */
  readonly callId?: string | undefined;
  /** Language of code, outcome of its result. */
  readonly label?: string | undefined;
  readonly media?: MediaView | undefined;
  /** Media inside a function response. */
  readonly attached?: readonly MediaView[] | undefined;
  /** Ranges of `text` that sources support. */
  readonly citations?: readonly CitationView[] | undefined;
  /** Members that this release does not know. */
  readonly unknown?: readonly string[] | undefined;
  /** The part as stored, except that media and long signatures are cut short. */
  readonly raw: Json;
}

/** The signature of a part. */
export interface SignatureView {
  /** Size of the decoded signature. */
  readonly bytes: number;
  /** The first characters. */
  readonly start: string;
  /** Model and family that made it; absent when the log doesn't say. */
  readonly madeBy?: string | undefined;
}

/** An image, a sound, a video or a document. */
export interface MediaView {
  readonly mimeType: string;
  /** Size of inline data. */
  readonly bytes?: number | undefined;
  readonly uri?: string | undefined;
  readonly name?: string | undefined;
  /** What `Source.media` gets; only for inline data. */
  readonly ref?: MediaRef | undefined;
}

/** Where inline media stand: entry of the log, and the keys that lead to the blob. */
export interface MediaRef {
  readonly position: number;
  readonly path: readonly (string | number)[];
}

/** A range of a text: its first UTF-16 index, the one after its last, and numbers of {@link SourceView}s. */
export type CitationView = Pick<Citation, "start" | "end" | "sources">;

/** A segment that the service cited, but that matches no text or source. */
export interface LostCitation {
  readonly text: string;
  /** Byte offsets as the service gave them. */
  readonly startIndex?: number | undefined;
  readonly endIndex?: number | undefined;
  readonly why: string;
}

/** A source of an answer. Its title includes the page of a document. */
export type SourceView = Pick<Source, "number" | "kind" | "uri" | "title">;

/** One answer of the model. */
export interface AnswerView {
  /** Name of its step. */
  readonly step: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Absent if the step recorded no answer. */
  readonly content?: ContentView | undefined;
  readonly finishReason?: string | undefined;
  readonly finishMessage?: string | undefined;
  readonly modelVersion?: string | undefined;
  /** What the service sent beside the content, such as grounding and ratings, and what the run prepared for the request. */
  readonly beside: { readonly [Name in "usageMetadata" | "candidate" | "envelope" | "prepared"]?: Json | undefined };
  readonly searchQueries: readonly string[];
  readonly lostCitations: readonly LostCitation[];
  readonly error?: ReadError | undefined;
}

/** One call and its outcome. */
export interface CallDetails extends Pick<StepRow, "reads" | "origin"> {
  readonly callId: string;
  readonly name: string;
  readonly id?: string | undefined;
  readonly args: Json;
  /** Arguments that a person gave instead. */
  readonly editedArgs?: Json | undefined;
  readonly state: "ok" | "failed" | "denied" | "not-run" | "waiting" | "open" | "unknown";
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Why untrusted content led to a question about it, or a denial: a sentence. */
  readonly because?: string | undefined;
  /** The response that the model got. */
  readonly response?: Json | undefined;
  readonly failure?: { readonly kind: string; readonly message: string } | undefined;
  readonly isShortened?: true | undefined;
  /** The skill that it read, and about how many tokens the response adds to the context. */
  readonly skill?:
    | { readonly name: string; readonly file: string; readonly sha256: string; readonly tokens: number }
    | undefined;
  /** Its attempts, and the questions about it with their answers. */
  readonly steps: readonly {
    readonly name: string;
    readonly at?: number | undefined;
    readonly value?: Json | undefined;
  }[];
  readonly nested: readonly NestedView[];
}

/** A run inside a call. */
export interface NestedView {
  readonly usage: TurnUsage;
  readonly cost?: number | undefined;
  readonly answers: readonly ContentView[];
}

/** A note about a step, besides answers and calls. */
export interface NoteView {
  readonly kind:
    | "guardrail"
    | "route"
    | "compaction"
    | "handoff"
    | "steering"
    | "prefix-break"
    | "retry"
    | "error"
    | "other";
  readonly step: string;
  /** A sentence. */
  readonly text: string;
}
