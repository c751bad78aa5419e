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

/** A function call in one word or two. */
export type ScriptedCall =
  | string
  | { readonly name: string; readonly args?: JsonObject | undefined; readonly id?: string | undefined };

/** Says something. `deltas` fixes how a stream cuts it. */
export function text(value: string, deltas?: readonly string[]): Answer {
  return { parts: [{ part: { text: value }, deltas }] };
}

/** Says a value as JSON, the way a model with a response schema does. */
export function json(value: unknown): Answer {
  return text(JSON.stringify(value));
}

/** A thought summary; the reader gets it only when the request says `includeThoughts`. */
export function thought(value: string): Answer {
  return { parts: [{ part: { text: value, thought: true } }] };
}

/** Calls functions in parallel. A bare name is a call without arguments. */
export function calls(list: readonly ScriptedCall[], options: { readonly perChunk?: number | undefined } = {}): Answer {
  const parts = list.map((item) => {
    const { name, args = {}, id } = typeof item === "string" ? { name: item } : item;
    return { part: { functionCall: { name, args, ...(id === undefined ? {} : { id }) } } };
  });
  return { parts, callsPerChunk: options.perChunk };
}

/** Calls one function. */
export function call(name: string, args?: JsonObject): Answer {
  return calls([{ name, args }]);
}

/** Searches the web; combine it with {@link text}, or give the answer here. */
export function search(found: Search & { readonly text?: string | undefined }): Answer {
  const { text: said, ...rest } = found;
  return { parts: said === undefined ? [] : [{ part: { text: said } }], search: rest };
}

/** Runs code in the service's sandbox. */
export function codeExecution(code: string, output: string, outcome = "OUTCOME_OK"): Answer {
  const executableCode: ExecutableCode = { language: "PYTHON", code };
  const codeExecutionResult: CodeExecutionResult = { outcome, output };
  return { parts: [{ part: { executableCode } }, { part: { codeExecutionResult } }] };
}

/** Any part, as it stands. A `thoughtSignature` in it is sent unchanged. */
export function part(value: Part): Answer {
  return { parts: [{ part: value }] };
}

/** Ends the turn for another reason than `STOP`. */
export function finish(finishReason: string, finishMessage?: string): Answer {
  return { parts: [], finishReason, finishMessage };
}

/** Says nothing at all and stops. */
export function nothing(): Answer {
  return { parts: [] };
}

/** Lets something go wrong, with the answer it happens to (for faults that cut a stream). */
export function fault(what: Fault, ...answers: readonly Answer[]): Answer {
  return { ...join(answers), fault: what };
}

/** One answer out of several: parts in this order, of the other fields the last one given. */
export function join(answers: readonly Answer[]): Answer {
  const given = answers.flatMap((answer) => Object.entries(answer).filter(([, value]) => value !== undefined));
  return { ...Object.fromEntries(given), parts: answers.flatMap((answer) => answer.parts) };
}
