/** A JSON object of unknown shape. */
export type JsonFields = { readonly [key: string]: unknown };

/** A request body that is not JSON: its type, length and digest, not its content. */
export interface RecordedBody {
  /** From the request's `content-type`; null without one. */
  readonly mimeType: string | null;
  /** Size in bytes. */
  readonly bytes: number;
  /** Hex digest of the bytes, with a multipart body's random boundary written as `boundary`. */
  readonly sha256: string;
}

/** How a body ended: `complete`, `cancelled` by its reader, or `failed` with its connection. */
export type RecordedEnd = "complete" | "cancelled" | "failed";

/** One request and its answer. */
export interface RecordedExchange {
  /** Position among all requests of the recording, in order of sending; the first is 0. */
  readonly position: number;
  readonly method: string;
  /** Path and query, without keys and projects. */
  readonly path: string;
  /** The requested model id; null if the path has none. */
  readonly model: string | null;
  /** The model version in the answer. */
  readonly modelVersion: string | null;
  /** The parsed body; null if there is none or it is not JSON. */
  readonly request: unknown;
  /** For a body that is not JSON. */
  readonly requestBody?: RecordedBody | undefined;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** As text; as base64 if the answer is not text, with {@link RecordedExchange.responseEncoding} set. */
  readonly responseBody: string;
  readonly responseEncoding?: "base64" | undefined;
  /** How a body that is not text was changed, or why it was left out. Absent for an unchanged body. */
  readonly responseNote?: string | undefined;
  /** Absent for `complete`. */
  readonly ended?: Exclude<RecordedEnd, "complete"> | undefined;
  /** `stream` or `unary`, plus `error` if the answer is one. */
  readonly kind: readonly string[];
  /** Features that occur in the exchange. */
  readonly features: readonly string[];
  /** `json`, `sse`, `json-array`, `bare-json-as-event-stream`, `sse-without-blank-lines`, or `other`. */
  readonly framing: string;
  /** Index of the earlier exchange whose contents are a strict prefix of this one's. */
  readonly continues: number | null;
  /** Content of the answer, by plain concatenation; null if it is incomplete. */
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

/** A text; if longer than 400 characters, its length and SHA-256 in hex. */
export type DigestText = string | { readonly chars: number; readonly utf8: number; readonly sha256: string };

/** Two exchanges, the second of which answers calls of the first; indexes into `exchanges`. */
export interface RecordedToolStep {
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  readonly responses: number;
  readonly status: number;
}

/** One recording: the contents of a file. */
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
  /** All other requests, such as token counts and uploads, and requests without an answer; in the same form. */
  readonly others: readonly RecordedExchange[];
}
