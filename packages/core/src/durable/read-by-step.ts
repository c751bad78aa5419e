import { readByService } from "../grounding/read-by-service.ts";
import { isPrivate, isUntrusted, readContents, type ReadsMark, type ReadSource } from "../tool/reads.ts";
import type { CallStepValue, ModelStepValue, Steered } from "./run-log.ts";

/** What an answer brings into the history: what the service read for it, and tool descriptions that the model saw for the first time. */
export function readByModel({
  response,
  described = [],
}: Pick<ModelStepValue, "response" | "described">): ReadSource[] {
  return [...described, ...readByService(response)];
}

/** What steering messages bring; if their source did not say, what their files bring. */
export function readSteered({ read, contents }: Steered): readonly ReadSource[] {
  return read ?? readContents(contents);
}

/** What a call brings into the history: its result, and what runs inside it have read. */
export function readByCall(
  tool: string,
  { reads, origin, nested }: Pick<CallStepValue, "reads" | "origin" | "nested">,
): readonly ReadSource[] {
  const inside = nested.flatMap(({ read = [] }) => read.map((one) => ({ ...one, tool: `${tool} > ${one.tool}` })));
  return reads === undefined ? inside : [{ tool, reads, origin }, ...inside];
}

/** The same in one word, for observers and readers of events. */
export function markOfCall(value: Parameters<typeof readByCall>[1]): ReadsMark | undefined {
  const read = readByCall("", value);
  if (read.length === 0) return undefined;
  return read.some(isUntrusted) ? (read.some(isPrivate) ? "both" : "untrusted") : "private";
}
