import type { Content, Part } from "../../wire/types/content.ts";
import { isOlderFamily } from "../capabilities.ts";

/** Where contents came from or go to. Thought signatures are valid within one origin only. */
export interface HistoryOrigin {
  /** What tells endpoints, and projects behind them, apart: the endpoint's `baseUrl` for one. Compared, never called. */
  readonly endpoint: string;
  /** {@link ModelCapabilities.family} of the model. */
  readonly family: string;
}

/** Options of {@link prepareHistory}. */
export interface PrepareHistoryOptions {
  /** Who wrote the model contents; absent when it was no Gemini at all, or nobody knows. */
  readonly from?: HistoryOrigin | undefined;
  /** Who is to read them. Without an endpoint only the family counts, and every signature is foreign. */
  readonly to: Pick<HistoryOrigin, "family"> & Partial<HistoryOrigin>;
}

/**
 * Makes a history fit for another model, key or endpoint than the one that wrote it.
 *
 * Within one endpoint and family nothing changes. Across them signatures are foreign, and one of them stops a
 * conversation for good. They are taken off; the first call of each model content, which Gemini 3 and newer must find
 * signed, gets the placeholder that the service takes instead. Thoughts are left out, and so are the service's own tool
 * calls and their responses, which are nothing without their signature. Older families and Gemma get no signature at all.
 *
 * @returns New contents; those that did not have to change are the same objects, and with nothing to change so is the list.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function prepareHistory(contents: readonly Content[], { from, to }: PrepareHistoryOptions): readonly Content[] {
  const isForeign = from === undefined || from.endpoint !== to.endpoint || from.family !== to.family;
  const isSigned = !isOlderFamily(to.family);
  const turn = findCurrentTurn(contents);
  const prepared = contents.flatMap((content, i) => {
    if (content.role !== "model") return content;
    const own = isForeign ? withoutForeign(content) : content;
    if (own === undefined) return [];
    // What a model of the same origin left unsigned in earlier turns stays as it was sent.
    return isSigned && (isForeign || i >= turn) ? signFirstCall(own) : own;
  });
  return prepared.length === contents.length && prepared.every((content, i) => content === contents[i])
    ? contents
    : prepared;
}

/** Without what only its writer can read; `undefined` when nothing else was in it. */
function withoutForeign(content: Content): Content | undefined {
  const own = mapParts(content, (part) => {
    if (part.thought === true || part.toolCall !== undefined || part.toolResponse !== undefined) return [];
    if (part.thoughtSignature === undefined) return part;
    const { thoughtSignature: _signature, ...unsigned } = part;
    return isEmptyText(part) ? [] : unsigned;
  });
  return own.parts.length === 0 ? undefined : own;
}

/** An empty text is only there to carry its signature. */
function isEmptyText(part: Part): boolean {
  return part.text === "" && Object.keys(part).every((key) => key === "text" || key === "thoughtSignature");
}

/**
 * Signature that the service takes in place of one of its own, on all surfaces.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const PLACEHOLDER_SIGNATURE = "skip_thought_signature_validator";

/** Index of the first content after the last one that a user wrote. Only there are signatures checked. */
export function findCurrentTurn(contents: readonly Content[]): number {
  return (
    contents.findLastIndex(
      ({ role, parts }) => role === "user" && parts.some((part) => part.functionResponse === undefined),
    ) + 1
  );
}

/** With the dummy on the first call, if that has no signature; the content itself otherwise. */
export function signFirstCall(content: Content): Content {
  const first = content.parts.findIndex((part) => part.functionCall !== undefined);
  const call = content.parts[first];
  // An empty signature is none.
  if (content.role !== "model" || call === undefined || call.thoughtSignature) return content;
  return { ...content, parts: content.parts.with(first, { ...call, thoughtSignature: PLACEHOLDER_SIGNATURE }) };
}

/** Without the ids of calls and responses. */
export function stripIds(content: Content): Content {
  return mapParts(content, (part) => {
    const { functionCall, functionResponse } = part;
    if (functionCall?.id !== undefined) {
      const { id: _id, ...call } = functionCall;
      return { ...part, functionCall: call };
    }
    if (functionResponse?.id === undefined) return part;
    const { id: _id, ...response } = functionResponse;
    return { ...part, functionResponse: response };
  });
}

/** The content with each part changed, or left out; the content itself when none changes. */
export function mapParts(content: Content, change: (part: Part) => Part | readonly []): Content {
  const parts = content.parts.flatMap(change);
  return parts.length === content.parts.length && parts.every((part, i) => part === content.parts[i])
    ? content
    : { ...content, parts };
}
