import { ResponseBlockedError, StreamIncompleteError } from "../errors/api-errors.ts";
import { utf8Length } from "../internal/text.ts";
import type { JsonObject, Part } from "../wire/types/content.ts";
import type { Candidate, GroundingMetadata, UsageMetadata } from "../wire/types/generate-content.ts";

/** One answer of a {@link ScriptedModel}: what it streams and how it ends. Combine turns with {@link join}. */
export interface ScriptedTurn {
  /** The parts it streams, batch by batch. */
  readonly batches: readonly (readonly Part[])[];
  /** @defaultValue "STOP" */
  readonly finishReason?: string | undefined;
  readonly finishMessage?: string | undefined;
  /** More fields of the candidate, such as grounding metadata. */
  readonly candidate?: Omit<Candidate, "content"> | undefined;
  /** Token counts as the service sends them. @defaultValue 10 prompt tokens and 5 candidate tokens */
  readonly usage?: UsageMetadata | undefined;
  /** What happens after the last batch instead of an answer: an error, or nothing until the request is aborted. */
  readonly end?: { readonly type: "error"; readonly error: unknown } | { readonly type: "hang" } | undefined;
}

/** A function call to make: a bare name is a call without arguments. */
export type ScriptedCall = string | ({ readonly name: string; readonly args?: JsonObject | undefined } & CallFields);

/** Fields of a call besides its name and arguments. */
export interface CallFields {
  /** Newer models always send one. @defaultValue none */
  readonly id?: string | undefined;
  readonly thoughtSignature?: string | undefined;
}

/**
 * Combines turns into one answer: batches in order; the last finish reason, usage and ending win.
 * @example const model = new ScriptedModel(join(think("A city."), call("get_weather", { city: "Oslo" })), say("Four degrees."));
 */
export function join(...turns: readonly ScriptedTurn[]): ScriptedTurn {
  const batches = turns.flatMap((one) => one.batches);
  const candidate: Omit<Candidate, "content"> = Object.assign({}, ...turns.map((one) => one.candidate));
  const fields: ScriptedTurn = Object.assign({}, ...turns);
  return { ...fields, batches, ...(fields.candidate === undefined ? {} : { candidate }) };
}

/**
 * Text, streamed in these batches.
 * @example const model = new ScriptedModel(say("It is ", "four degrees.")); // in two pieces
 */
export function say(...texts: readonly string[]): ScriptedTurn {
  return { batches: texts.map((text) => [{ text }]) };
}

/** A thought summary. */
export function think(text: string): ScriptedTurn {
  return { batches: [[{ text, thought: true }]] };
}

/** Any parts in one batch: images, code, unknown kinds of parts. */
export function parts(...given: readonly Part[]): ScriptedTurn {
  return { batches: [given] };
}

/**
 * Calls one function.
 * @example const model = new ScriptedModel(call("get_weather", { city: "Oslo" }), say("Four degrees."));
 */
export function call(name: string, args: JsonObject = {}, fields: CallFields = {}): ScriptedTurn {
  return calls({ name, args, ...fields });
}

/** Calls several functions at once, in one batch. */
export function calls(...given: readonly ScriptedCall[]): ScriptedTurn {
  return parts(
    ...given.map((one): Part => {
      const { name, args = {}, id, thoughtSignature } = typeof one === "string" ? { name: one } : one;
      return {
        functionCall: { ...(id !== undefined && { id }), name, args },
        ...(thoughtSignature !== undefined && { thoughtSignature }),
      };
    }),
  );
}

/** An empty answer that ends with `STOP`. */
export function empty(): ScriptedTurn {
  return { batches: [], finishReason: "STOP" };
}

/** Text that the token limit cut off. Without text it only sets the finish reason, such as after a call in {@link join}. */
export function cut(...texts: readonly string[]): ScriptedTurn {
  return { ...say(...texts), finishReason: "MAX_TOKENS" };
}

/** A withheld answer. `blocked("SAFETY")` */
export function blocked(reason = "SAFETY", message?: string): ScriptedTurn {
  return finishes(reason, message);
}

/** A prompt that was refused before any answer: throws a {@link ResponseBlockedError}. */
export function refused(blockReason = "PROHIBITED_CONTENT"): ScriptedTurn {
  return fails(new ResponseBlockedError(`the prompt was refused (${blockReason})`, blockReason, []));
}

/** A call that the service could not parse. */
export function malformed(message = "Malformed function call: get_weather(city="): ScriptedTurn {
  return finishes("MALFORMED_FUNCTION_CALL", message);
}

/** A call of an undeclared function, which the service withheld. */
export function undeclared(name: string): ScriptedTurn {
  return finishes("UNEXPECTED_TOOL_CALL", `Unexpected tool call: ${name}`);
}

/** Any other finish reason, known or not. `finishes("SOMETHING_NEW")` */
export function finishes(reason: string, message?: string): ScriptedTurn {
  return { batches: [], finishReason: reason, ...(message !== undefined && { finishMessage: message }) };
}

/** Text with sources, as the service reports a search. @throws {TypeError} When a source supports a text that the answer does not contain. */
export function grounded(
  text: string,
  options: { readonly sources: readonly GroundedSource[]; readonly queries?: readonly string[] | undefined },
): ScriptedTurn {
  const groundingMetadata = buildGrounding(text, options.sources, options.queries ?? []);
  return { ...say(text), candidate: { groundingMetadata } };
}

/** The service's own search alongside functions: its call and its response, which the client only echoes. */
export function serverSearch(...queries: readonly string[]): ScriptedTurn {
  const toolType = "GOOGLE_SEARCH_WEB";
  const id = "search01";
  return {
    batches: [
      [{ toolCall: { toolType, args: { queries }, id }, thoughtSignature: "c2VhcmNoLWNhbGw=" }],
      [
        {
          toolResponse: { toolType, response: { search_suggestions: `<p>${queries.join(", ")}</p>` }, id },
          thoughtSignature: "c2VhcmNoLWFuc3dlcg==",
        },
      ],
    ],
  };
}

/** A stream that ends after these texts without a finish reason, or fails with this error. */
export function dies(...given: readonly (string | Error)[]): ScriptedTurn {
  const texts = given.filter((piece) => typeof piece === "string");
  const error =
    given.find((piece) => piece instanceof Error) ??
    new StreamIncompleteError("the stream ended without a finish reason");
  return { ...say(...texts), end: { type: "error", error } };
}

/**
 * A request that fails with this error before anything is streamed.
 * @example
 * ```ts
 * const model = new ScriptedModel(fails(new Error("no network")));
 * await assert.rejects(new Agent({ model }).run("Hello"), /no network/);
 * ```
 */
export function fails(error: unknown): ScriptedTurn {
  return { batches: [], end: { type: "error", error } };
}

/** A stream that stalls after these texts until the request is aborted. */
export function hangs(...texts: readonly string[]): ScriptedTurn {
  return { ...say(...texts), end: { type: "hang" } };
}

/** Token counts of an answer. `join(say("x"), costs({ promptTokenCount: 100 }))` */
export function costs(usage: UsageMetadata): ScriptedTurn {
  return { batches: [], usage };
}

/** A source of a scripted answer. */
export interface GroundedSource {
  readonly uri: string;
  readonly title?: string | undefined;
  /** Texts of the answer that the page supports, verbatim. @defaultValue the whole answer */
  readonly supports?: readonly string[] | undefined;
}

/** The metadata as the service sends it for this text: byte offsets, zero omitted, one support per text. */
function buildGrounding(
  text: string,
  sources: readonly GroundedSource[],
  queries: readonly string[],
): GroundingMetadata {
  const chunks = new Map<string, number[]>();
  for (const [chunk, { supports = [text] }] of sources.entries())
    for (const segment of supports) chunks.set(segment, [...(chunks.get(segment) ?? []), chunk]);
  return {
    webSearchQueries: queries,
    searchEntryPoint: { renderedContent: `<p>${queries.join(", ")}</p>` },
    groundingChunks: sources.map(({ uri, title }) => ({ web: { uri, title: title ?? new URL(uri).hostname } })),
    groundingSupports: [...chunks].map(([segment, groundingChunkIndices]) => {
      const index = text.indexOf(segment);
      if (index === -1)
        throw new TypeError(`a source supports ${JSON.stringify(segment)}, which the answer does not contain`);
      const startIndex = utf8Length(text.slice(0, index));
      const endIndex = startIndex + utf8Length(segment);
      return { segment: { ...(startIndex > 0 && { startIndex }), endIndex, text: segment }, groundingChunkIndices };
    }),
  };
}
