/** One prompt against a scripted API, and what counts as a good outcome. */
export interface Case {
  readonly id: string;
  readonly model: string;
  /** Whether Google Search is on, beside the function `weather`. */
  readonly search?: boolean;
  /** What `weather` does; by default it answers. */
  readonly tool?: "answers" | "throws" | "meets";
  /** A conversation instead of one prompt: so many processes play it in turn, with the function `plays/` has for its id. */
  readonly scenes?: number;
  answer(asked: Asked): Answer;
  readonly rows: readonly RowOfCase[];
}

/** A line of the table. */
export interface RowOfCase {
  readonly id: string;
  readonly label: string;
  judge(seen: Seen): Verdict;
}

/** A request as the stub received it. */
export interface Asked {
  /** Counts from 1. */
  readonly n: number;
  readonly atMs: number;
  /** Time since the first request of the case. */
  readonly sinceFirstMs: number;
  readonly request: GeminiRequest;
}

/** What the cases read of a request. */
export interface GeminiRequest {
  readonly contents?: readonly GeminiContent[];
  readonly tools?: readonly GeminiTool[];
  readonly toolConfig?: Readonly<Record<string, unknown>>;
  readonly tool_config?: Readonly<Record<string, unknown>>;
}

export interface GeminiContent {
  readonly role?: string;
  readonly parts?: readonly GeminiPart[];
}

export type GeminiPart = Readonly<Record<string, unknown>> & {
  readonly functionCall?: { readonly name: string };
  readonly functionResponse?: { readonly name: string; readonly response?: object };
};

export interface GeminiTool {
  readonly functionDeclarations?: readonly { readonly name: string }[];
  readonly googleSearch?: object;
  readonly google_search?: object;
}

/** The answer to one request: the chunks of a stream, or an error with a status. */
export interface Answer {
  readonly status?: number;
  /** The answer has no end: the person stops it, or the process dies. */
  readonly held?: "stop" | "crash";
  readonly chunks: readonly object[];
}

/** What an application gets from a library. */
export interface Ending {
  readonly text: string;
  /** The library's own word for how the run ended. */
  readonly ending?: string | undefined;
  /** Whether the check that the library's documentation recommends calls it a success. */
  readonly succeeded: boolean;
  /** Ranges of `text` with a source, as the library gives them. */
  readonly citations?: readonly { readonly start: number; readonly end: number }[] | undefined;
  /** The HTML that has to be shown beside a grounded answer. */
  readonly entryPoint?: string | undefined;
  readonly cost?: number | undefined;
}

/** Everything there is to judge a run by. */
export interface Seen {
  /** `undefined` after an error. */
  readonly result: Ending | undefined;
  readonly error: string | undefined;
  /** Whether nothing came back: the process ended, or the run didn't. */
  readonly isLost: boolean;
  /** What `weather` was called with. */
  readonly inputs: readonly unknown[];
  /** The most executions of `weather` at one time. */
  readonly together: number;
  /** What the scenes of a conversation noted, in order: effects of tools, and who acts. */
  readonly notes: readonly string[];
  readonly asked: readonly Asked[];
}

export interface Verdict {
  /** `partly`: the application has to do the rest. `untested`: it did not come to that. */
  readonly met: "yes" | "partly" | "no" | "untested";
  /** A few words of Markdown. */
  readonly says: string;
}

export const FINAL = "It rains in Oslo.";
export const GEMINI_3 = "gemini-3.5-flash";
export const GEMINI_2 = "gemini-2.5-flash";

/** One chunk with some parts; without a finish reason unless one is passed. */
export function chunk(given: readonly object[] | undefined, finishReason?: string, more: object = {}): object {
  return {
    candidates: [
      {
        content: { role: "model", ...(given && { parts: given }) },
        ...(finishReason && { finishReason }),
        index: 0,
        ...more,
      },
    ],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
    modelVersion: "stub",
    responseId: "stub",
  };
}

/** A complete answer. */
export function say(text: string = FINAL): Answer {
  return { chunks: [chunk([{ text }], "STOP")] };
}

/** Some parts, and nothing more. */
export function parts(...given: readonly object[]): Answer {
  return { chunks: [chunk(given, "STOP")] };
}

/** A call of `weather` with the signature that Gemini 3 puts on the first call. */
export function call(id: string, args: object, more: object = { thoughtSignature: SIGNATURE }): object {
  return { functionCall: { id, name: "weather", args }, ...more };
}

export const SIGNATURE: string = Buffer.from("a signature of the stub").toString("base64");

/** An error of the API. */
export function refuse(status: number, name: string, message: string, details: readonly object[] = []): Answer {
  return { status, chunks: [{ error: { code: status, message, status: name, details } }] };
}

/** Whether the run ended with the final answer. */
export function isAnswered({ result }: Seen): boolean {
  return result?.succeeded === true && result.text.includes(FINAL);
}

/** How a run ended, in a few words. */
export function endingOf({ result, error }: Seen): string {
  if (result === undefined) return error === undefined || error === "Error" ? "an error" : wordOf(error);
  if (!result.succeeded) return result.ending === undefined ? "no finish reason" : wordOf(result.ending);
  return result.text === "" ? "success, no text" : "success";
}

/** A name in a library is code; what has a space is our text. */
function wordOf(name: string): string {
  return name.includes(" ") ? name : `\`${name}\``;
}

/** All contents of the last request. */
export function lastContents({ asked }: Seen): readonly GeminiContent[] {
  return asked.at(-1)?.request.contents ?? [];
}

/** All function responses of the last request. */
export function responsesIn(seen: Seen): readonly NonNullable<GeminiPart["functionResponse"]>[] {
  return lastContents(seen).flatMap(({ parts: all = [] }) =>
    all.flatMap(({ functionResponse }) => (functionResponse ? [functionResponse] : [])),
  );
}
