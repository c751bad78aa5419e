/** A JSON object nobody has looked into yet. */
export type JsonFields = { readonly [key: string]: unknown };

/** A request body that is no JSON: what identifies it, not what it holds. */
export interface RecordedBody {
  /** From the request's `content-type`; null without one. */
  readonly mimeType: string | null;
  /** Size. */
  readonly bytes: number;
  /** Hex digest of the bytes, with a multipart body's random boundary written as `boundary`. */
  readonly sha256: string;
}

/** How a body came to its end: `complete`, `cancelled` by its reader, or `failed` with its connection. */
export type RecordedEnd = "complete" | "cancelled" | "failed";

/** One request and what came of it. */
export interface RecordedExchange {
  /** Place among all requests of the case, by the time they were sent; the first is 0. */
  readonly position: number;
  readonly method: string;
  /** Path and query, without keys and projects. */
  readonly path: string;
  /** Model id as asked for; null where the path names none. */
  readonly model: string | null;
  /** What the answer says it came from. */
  readonly modelVersion: string | null;
  /** The parsed body; null for none and for one that is no JSON. */
  readonly request: unknown;
  /** Of a body that is no JSON. */
  readonly requestBody?: RecordedBody | undefined;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** As text. Of an answer that is no text, base64, with {@link RecordedExchange.responseEncoding} set. */
  readonly responseBody: string;
  readonly responseEncoding?: "base64" | undefined;
  /** Left out for `complete`. */
  readonly ended?: Exclude<RecordedEnd, "complete"> | undefined;
  /** `stream` or `unary`, and `error` for an answer that is one. */
  readonly kind: readonly string[];
  /** What occurs in the exchange. */
  readonly features: readonly string[];
  /** `json`, `sse`, `json-array`, `bare-json-as-event-stream`, `sse-without-blank-lines`, or `other`. */
  readonly framing: string;
  /** Index of the earlier exchange whose contents are a strict prefix of this one's. */
  readonly continues: number | null;
  /** What the answer holds, by plain concatenation; null where it is not whole. */
  readonly digest: AnswerDigest | null;
}

/** Candidate 0 of an answer. */
export interface AnswerDigest {
  /** JSON objects in the body. */
  readonly objects: number;
  readonly parts: number;
  readonly text: DigestText;
  readonly thoughts: DigestText;
  /** The `functionCall` objects, in order. */
  readonly calls: readonly JsonFields[];
  readonly signatures: number;
  readonly finishReasons: readonly (string | number)[];
  /** The last `usageMetadata`. */
  readonly usage: JsonFields | null;
}

/** A text; of more than 400 characters its length and SHA-256 in hex. */
export type DigestText = string | { readonly chars: number; readonly utf8: number; readonly sha256: string };

/** Two exchanges of which the second answers calls of the first; indexes into `exchanges`. */
export interface RecordedToolStep {
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  readonly responses: number;
  readonly status: number;
}

/** One recorded case: what a file holds. */
export interface RecordingFile {
  readonly source: string;
  readonly licence: string | null;
  readonly provenance: "recorded";
  readonly model: string | null;
  readonly api: "gemini" | "vertex";
  readonly kind: readonly string[];
  readonly features: readonly string[];
  readonly fidelity: readonly string[];
  readonly truncatedBlobs: boolean;
  /** Whether anything was replaced by `[redacted]` or `PROJECT`. */
  readonly scrubbed: boolean;
  readonly toolLoops: readonly RecordedToolStep[];
  /** `METHOD path status` of each of {@link RecordingFile.others}. */
  readonly otherCalls: readonly string[];
  /** Answered requests for content, in the order in which they were sent. */
  readonly exchanges: readonly RecordedExchange[];
  /** Every other request, such as counting tokens and uploads, and those that got no answer; in the same form. */
  readonly others: readonly RecordedExchange[];
}
