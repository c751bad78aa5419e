/** JSON object of a call's arguments or a response's payload. */
export type JsonObject = { readonly [key: string]: unknown };

/** These members, each optional. */
export type Fields<Members> = { readonly [Name in keyof Members]?: Members[Name] | undefined };

/** Optional members with these names, all strings. */
export type Texts<Name extends string> = Fields<Record<Name, string>>;

/** Optional members with these names, all numbers. */
export type Numbers<Name extends string> = Fields<Record<Name, number>>;

/** An enum value of the API: a known one, or a newer one. */
export type Word<Known extends string> = Known | (string & {});

/** Bytes inside a request or answer, as base64. */
export interface Blob {
  /** IANA media type, such as `image/png`. */
  readonly mimeType: string;
  /** Base64; the service takes the standard and the URL-safe alphabet and sends the standard one. */
  readonly data: string;
  readonly displayName?: string | undefined;
}

/** A file the service can reach: Files API URI, YouTube URL, or a public HTTPS URL on newer models. */
export interface FileData extends Texts<"mimeType" | "displayName"> {
  readonly fileUri: string;
}

/** One piece of streamed arguments (Vertex only). */
export interface PartialArg {
  readonly jsonPath: string;
  readonly stringValue?: string | undefined;
  readonly numberValue?: number | undefined;
  readonly boolValue?: boolean | undefined;
  readonly nullValue?: "NULL_VALUE" | null | undefined;
  readonly willContinue?: boolean | undefined;
}

/** The model asks for a function to be run. */
export interface FunctionCall {
  /** Eight random characters on newer models, absent on older ones; goes back in the response as received. */
  readonly id?: string | undefined;
  readonly name: string;
  /** Absent means no arguments, the same as `{}`. Numbers are doubles here and at the service: declare longer ones as strings. */
  readonly args?: JsonObject | undefined;
  readonly partialArgs?: readonly PartialArg[] | undefined;
  readonly willContinue?: boolean | undefined;
}

/** Media that belongs to a function response (Gemini 3 and newer). */
export interface FunctionResponsePart {
  readonly inlineData?: Blob | undefined;
  readonly fileData?: FileData | undefined;
}

/** The result of a function. */
export interface FunctionResponse {
  readonly id?: string | undefined;
  readonly name: string;
  /** A JSON object: the value under `output`, or a failure under `error`. */
  readonly response: JsonObject;
  readonly parts?: readonly FunctionResponsePart[] | undefined;
}

/** A tool call that the service made and answered; the client only echoes it. */
export interface ServerToolCall {
  readonly id?: string | undefined;
  readonly toolType: string;
  readonly args?: JsonObject | undefined;
}

/** The service's own answer to a {@link ServerToolCall}. */
export interface ServerToolResponse {
  readonly id?: string | undefined;
  readonly toolType: string;
  readonly response?: JsonObject | undefined;
}

/** Code the model wrote to run in the service's sandbox. */
export interface ExecutableCode {
  readonly language?: string | undefined;
  readonly code: string;
  readonly id?: string | undefined;
}

/** The output of {@link ExecutableCode}. */
export interface CodeExecutionResult {
  /** `OUTCOME_OK`, `OUTCOME_FAILED`, `OUTCOME_DEADLINE_EXCEEDED`, or a newer value. */
  readonly outcome: string;
  readonly output?: string | undefined;
  readonly id?: string | undefined;
}

/** One piece of a content. Exactly one data field is set; unknown fields are kept. @see https://ai.google.dev/api/caching#Part */
export interface Part {
  readonly text?: string | undefined;
  readonly inlineData?: Blob | undefined;
  readonly fileData?: FileData | undefined;
  readonly functionCall?: FunctionCall | undefined;
  readonly functionResponse?: FunctionResponse | undefined;
  readonly executableCode?: ExecutableCode | undefined;
  readonly codeExecutionResult?: CodeExecutionResult | undefined;
  readonly toolCall?: ServerToolCall | undefined;
  readonly toolResponse?: ServerToolResponse | undefined;
  /** True on a thought summary, which is never part of the answer. */
  readonly thought?: boolean | undefined;
  /** Opaque base64, bound to this part: never merge, move or drop it. */
  readonly thoughtSignature?: string | undefined;
  readonly videoMetadata?: Fields<{ startOffset: string; endOffset: string; fps: number }> | undefined;
  readonly mediaResolution?: { readonly level: string; readonly numTokens?: number | undefined } | undefined;
  /** How the model reads a video: frames at a fixed rate, or frames that it chooses. */
  readonly mediaProcessing?: Word<"STATIC" | "AGENTIC"> | undefined;
  /** Notes of your own. Developer API. */
  readonly partMetadata?: JsonObject | undefined;
  /** Speaker and style of a text for speech. */
  readonly speechMetadata?: Texts<"speaker" | "style"> | undefined;
  /** Transcript of a transcription model. */
  readonly audioTranscription?:
    | (Texts<"text" | "languageCode" | "speakerLabel" | "startOffset" | "endOffset"> &
        Fields<{ words: readonly Texts<"word" | "startOffset" | "endOffset">[] }>)
    | undefined;
}

/** The author of a content: the person or program (`user`, also of all function responses), or the model. */
export type Role = "user" | "model";

/** One entry of a conversation. @see https://ai.google.dev/api/caching#Content */
export interface Content {
  readonly role: Role;
  readonly parts: readonly Part[];
}
