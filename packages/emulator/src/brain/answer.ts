import type {
  CodeExecutionResult,
  ExecutableCode,
  GroundingMetadata,
  JsonObject,
  Part,
  UrlContextMetadata,
} from "@pollux/core/wire";
import type { Fault } from "../fault/fault.ts";

/** A part the model says, and how a stream cuts it. */
export interface AnswerPart {
  readonly part: Part;
  /** Pieces of a text part, each in a chunk of its own. Default: cut at words. */
  readonly deltas?: readonly string[] | undefined;
}

/** A source of a grounded answer. */
export interface SearchSource {
  /** The site's domain, as the service titles its search results. */
  readonly title: string;
  /** Default: a redirect address like the service's. */
  readonly uri?: string | undefined;
  /** Of a place on the map. */
  readonly placeId?: string | undefined;
}

/** A search the service made for the model. */
export interface Search {
  /** Where it looked. Default: `web`. */
  readonly kind?: "web" | "maps" | "url" | undefined;
  readonly queries: readonly string[];
  readonly sources: readonly SearchSource[];
  /** Which words of the answer rest on which sources (by position). Default: each sentence on one source, in turn. */
  readonly supports?: readonly { readonly text: string; readonly sources: readonly number[] }[] | undefined;
}

/** A body to be sent as it stands: how recorded traffic comes back. */
export interface RecordedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Set for a body that is no text. Default: the body is the text itself. */
  readonly encoding?: "base64" | undefined;
  /** Sent besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What a brain answers. The emulator turns it into the wire format: ids, signatures, usage, chunks, finish reason. */
export interface Answer {
  readonly parts: readonly AnswerPart[];
  /** Default: `STOP`. */
  readonly finishReason?: string | undefined;
  readonly finishMessage?: string | undefined;
  readonly search?: Search | undefined;
  /** Grounding metadata as it stands, in place of what {@link Answer.search} would give. */
  readonly grounding?: GroundingMetadata | undefined;
  readonly urlContext?: UrlContextMetadata | undefined;
  /** Default: by the length of the answer and the thinking settings. */
  readonly thoughtTokens?: number | undefined;
  /** Tokens that built-in tools pulled into the prompt. Default: none; with a URL context 120, which one answer in four leaves out. */
  readonly toolUseTokens?: number | undefined;
  /** False leaves out thought signatures. Default: signed where the model signs. */
  readonly signed?: boolean | undefined;
  /** False leaves out the ids of calls. Default: given where the model gives them. */
  readonly callIds?: boolean | undefined;
  /** Grounding offsets that are off: the segment at `from` is so many bytes too long, later ones are shifted. Default: exact. */
  readonly offsetDrift?: { readonly bytes: number; readonly from: number } | undefined;
  /** How many function calls share a chunk of a stream. Default: all on Gemini 2.x, one on newer models. */
  readonly callsPerChunk?: number | undefined;
  /** Something to go wrong with this answer. */
  readonly fault?: Fault | undefined;
  readonly recorded?: RecordedAnswer | undefined;
}

/** A function call to make: a bare name is a call without arguments. */
export type ScriptedCall =
  | string
  | {
      readonly name: string;
      readonly args?: JsonObject | undefined;
      readonly id?: string | undefined;
      readonly thoughtSignature?: string | undefined;
    };

/** A source of a grounded answer, and what rests on it. */
export interface GroundedSource extends SearchSource {
  /** Texts of the answer that the source supports, word for word. Default: each sentence on one source, in turn. */
  readonly supports?: readonly string[] | undefined;
}

/** Says something. Several texts are the pieces of a stream; one alone is cut at words. */
export function say(...texts: readonly string[]): Answer {
  return { parts: [{ part: { text: texts.join("") }, ...(texts.length > 1 && { deltas: texts }) }] };
}

/** Says a value as JSON, the way a model with a response schema does. */
export function json(value: unknown): Answer {
  return say(JSON.stringify(value));
}

/** A thought summary; the reader gets it only when the request says `includeThoughts`. */
export function think(text: string): Answer {
  return { parts: [{ part: { text, thought: true } }] };
}

/** Any parts, as they stand. A `thoughtSignature` in one is sent unchanged. */
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

/** Calls several functions at once. */
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

/** Text with sources, as the service reports a search. With an empty text, the search is that of the answer it is joined with. */
export function grounded(
  text: string,
  { sources, ...search }: Omit<Search, "supports" | "sources"> & { readonly sources: readonly GroundedSource[] },
): Answer {
  const supported = [...new Set(sources.flatMap(({ supports = [] }) => supports))];
  const supports = supported.map((said) => ({
    text: said,
    sources: [...sources.keys()].filter((source) => sources[source]?.supports?.includes(said)),
  }));
  return {
    parts: text === "" ? [] : say(text).parts,
    search: { ...search, sources, ...(supports.length > 0 && { supports }) },
  };
}

/** Runs code in the service's sandbox. */
export function codeExecution(code: string, output: string, outcome = "OUTCOME_OK"): Answer {
  const executableCode: ExecutableCode = { language: "PYTHON", code };
  const codeExecutionResult: CodeExecutionResult = { outcome, output };
  return parts({ executableCode }, { codeExecutionResult });
}

/** `STOP` with nothing in it. */
export function empty(): Answer {
  return { parts: [] };
}

/** Ends for another reason than `STOP`. */
export function finishes(finishReason: string, finishMessage?: string): Answer {
  return { parts: [], finishReason, finishMessage };
}

/** Lets something go wrong, with the answer it happens to (for faults that cut a stream). */
export function fault(what: Fault, ...answers: readonly Answer[]): Answer {
  return { ...join(...answers), fault: what };
}

/** Several answers as one: their parts in order; of the other fields the last one given. */
export function join(...answers: readonly Answer[]): Answer {
  const given = answers.flatMap((answer) => Object.entries(answer).filter(([, value]) => value !== undefined));
  return { ...Object.fromEntries(given), parts: answers.flatMap((answer) => answer.parts) };
}
