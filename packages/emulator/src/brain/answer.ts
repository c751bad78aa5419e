import type {
  CodeExecutionResult,
  ExecutableCode,
  GroundingChunk,
  GroundingMetadata,
  JsonObject,
  Part,
  UrlContextMetadata,
} from "@pollux/core/wire";
import type { Fault } from "../fault/fault.ts";

/** A part of the answer, and how a stream splits it. */
export interface AnswerPart {
  readonly part: Part;
  /** Pieces of a text part, each sent in its own chunk. Default: split at words. */
  readonly deltas?: readonly string[] | undefined;
}

/** A source of a grounded answer. */
export interface SearchSource {
  /** The site's domain, which the service uses as the title of its search results. */
  readonly title: string;
  /** Default: a redirect address like the service's. */
  readonly uri?: string | undefined;
  /** Id of a place on the map. */
  readonly placeId?: string | undefined;
  /** The passage found in a document, sent unchanged. */
  readonly retrievedContext?: GroundingChunk["retrievedContext"];
}

/** A search the service made for the model. */
export interface Search {
  /** Where the service searched. Default: `web`. */
  readonly kind?: "web" | "maps" | "url" | "files" | undefined;
  readonly queries: readonly string[];
  readonly sources: readonly SearchSource[];
  /** Which texts of the answer are supported by which sources (by index). Default: each sentence by one source, in turn. */
  readonly supports?: readonly { readonly text: string; readonly sources: readonly number[] }[] | undefined;
}

/** A body to send unchanged: how recorded traffic is replayed. */
export interface RecordedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Set if the body is not text. Default: the body is the text itself. */
  readonly encoding?: "base64" | undefined;
  /** Sent in addition to the usual headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A brain's answer. The emulator converts it to the wire format: ids, signatures, usage, chunks, finish reason. */
export interface Answer {
  readonly parts: readonly AnswerPart[];
  /** Default: `STOP`. */
  readonly finishReason?: string | undefined;
  readonly finishMessage?: string | undefined;
  readonly search?: Search | undefined;
  /** Grounding metadata to send unchanged, in place of the metadata for {@link Answer.search}. */
  readonly grounding?: GroundingMetadata | undefined;
  readonly urlContext?: UrlContextMetadata | undefined;
  /** Default: depends on the length of the answer and the thinking settings. */
  readonly thoughtTokens?: number | undefined;
  /** Tokens that built-in tools added to the prompt. Default: none; with URL context 120, which one answer in four omits. */
  readonly toolUseTokens?: number | undefined;
  /** False omits thought signatures. Default: signed if the model signs. */
  readonly signed?: boolean | undefined;
  /** False omits the ids of calls. Default: present if the model sends them. */
  readonly callIds?: boolean | undefined;
  /** Wrong grounding offsets: the segment at `from` is this many bytes too long, and later ones are shifted. Default: exact. */
  readonly offsetDrift?: { readonly bytes: number; readonly from: number } | undefined;
  /** How many function calls share a chunk of a stream. Default: all on Gemini 2.x, one on newer models. */
  readonly callsPerChunk?: number | undefined;
  /** A fault to apply to this answer. */
  readonly fault?: Fault | undefined;
  readonly recorded?: RecordedAnswer | undefined;
}

/** A function call to make; a string is a call without arguments. */
export type ScriptedCall =
  | string
  | {
      readonly name: string;
      readonly args?: JsonObject | undefined;
      readonly id?: string | undefined;
      readonly thoughtSignature?: string | undefined;
    };

/** A source of a grounded answer, and the texts it supports. */
export interface GroundedSource extends SearchSource {
  /** Texts of the answer that the source supports, word for word. Default: each sentence by one source, in turn. */
  readonly supports?: readonly string[] | undefined;
}

/**
 * A text. Several texts are the pieces of a stream; a single one is split at words.
 *
 * @example
 * ```ts
 * const emulator = createEmulator({ brain: script([say("It is ", "four degrees.")]) });
 * ```
 */
export function say(...texts: readonly string[]): Answer {
  return { parts: [{ part: { text: texts.join("") }, ...(texts.length > 1 && { deltas: texts }) }] };
}

/** A value as JSON, as from a model with a response schema. */
export function json(value: unknown): Answer {
  return say(JSON.stringify(value));
}

/** A thought summary; sent only if the request has `includeThoughts`. */
export function think(text: string): Answer {
  return { parts: [{ part: { text, thought: true } }] };
}

/** Any parts, unchanged. A `thoughtSignature` in one is sent as it is. */
export function parts(...given: readonly Part[]): Answer {
  return { parts: given.map((part) => ({ part })) };
}

/** Calls one function. */
export function call(
  name: string,
  args?: JsonObject,
  fields: Pick<Exclude<ScriptedCall, string>, "id" | "thoughtSignature"> = {},
): Answer {
  return calls({ name, args, ...fields });
}

/**
 * Calls several functions at once.
 *
 * @example
 * ```ts
 * const brain = script([calls("get_time", { name: "get_weather", args: { city: "Oslo" } }), say("Done.")]);
 * ```
 */
export function calls(...given: readonly ScriptedCall[]): Answer {
  return parts(
    ...given.map((one): Part => {
      const { name, args = {}, id, thoughtSignature } = typeof one === "string" ? { name: one } : one;
      return {
        functionCall: { name, args, ...(id !== undefined && { id }) },
        ...(thoughtSignature !== undefined && { thoughtSignature }),
      };
    }),
  );
}

/**
 * A call that the service answers itself, as it does for its MCP servers: call and response are in the model's turn. Join it with
 * the text that follows.
 */
export function answeredCall(name: string, args: JsonObject, response: JsonObject): Answer {
  return parts({ functionCall: { name, args } }, { functionResponse: { name, response } });
}

/** Text with sources, as the service reports a search. If the text is empty, the search applies to the answer it is joined with. */
export function grounded(
  text: string,
  { sources, ...search }: Omit<Search, "supports" | "sources"> & { readonly sources: readonly GroundedSource[] },
): Answer {
  const supported = [...new Set(sources.flatMap(({ supports = [] }) => supports))];
  const supports = supported.map((quote) => ({
    text: quote,
    sources: [...sources.keys()].filter((source) => sources[source]?.supports?.includes(quote)),
  }));
  return {
    parts: text === "" ? [] : say(text).parts,
    search: { ...search, sources, ...(supports.length > 0 && { supports }) },
  };
}

/** Code execution in the service's sandbox. */
export function codeExecution(code: string, output: string, outcome = "OUTCOME_OK"): Answer {
  const executableCode: ExecutableCode = { language: "PYTHON", code };
  const codeExecutionResult: CodeExecutionResult = { outcome, output };
  return parts({ executableCode }, { codeExecutionResult });
}

/** `STOP` with no content. */
export function empty(): Answer {
  return { parts: [] };
}

/** Ends with a finish reason other than `STOP`. */
export function finishes(finishReason: string, finishMessage?: string): Answer {
  return { parts: [], finishReason, finishMessage };
}

/** Applies a fault, with the answer it affects (for faults that truncate a stream). */
export function fault(what: Fault, ...answers: readonly Answer[]): Answer {
  return { ...join(...answers), fault: what };
}

/** Several answers as one: all of their parts in order; for the other fields, the last value wins. */
export function join(...answers: readonly Answer[]): Answer {
  const given = answers.flatMap((answer) => Object.entries(answer).filter(([, value]) => value !== undefined));
  return { ...Object.fromEntries(given), parts: answers.flatMap((answer) => answer.parts) };
}
