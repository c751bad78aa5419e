import type { ModelResponse } from "../model/model.ts";

const FOUND = Symbol.for("pollux.foundResponses");

/** Hangs the answers a run's sources rest on upon its result, out of sight of `JSON.stringify`, for a run that called it. */
export function attachFound(result: object, responses: readonly ModelResponse[]): void {
  Object.defineProperty(result, FOUND, { value: [...responses], enumerable: false });
}

/** The answers that a run's sources rest on, those of runs inside it included; oldest first, its last answer among them. */
export function foundResponses(result: { readonly response: ModelResponse | undefined }): readonly ModelResponse[] {
  const found = (result as { readonly [FOUND]?: readonly ModelResponse[] })[FOUND] ?? [];
  const { response: last } = result;
  // The rest of a run's answers says nothing about sources, and would only make the journal of the calling run longer.
  return [...found.filter((one) => one !== last && hasSources(one)), ...(last === undefined ? [] : [last])];
}

function hasSources({ candidate, content }: ModelResponse): boolean {
  return (
    candidate.groundingMetadata !== undefined ||
    candidate.urlContextMetadata !== undefined ||
    content.parts.some((part) => part.toolCall !== undefined || part.toolResponse !== undefined)
  );
}
