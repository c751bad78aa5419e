import { readByService } from "../grounding/read-by-service.ts";
import { isPrivate, isUntrusted, readContents, type ReadsMark, type ReadSource } from "../tool/reads.ts";
import type { CallStepValue, ModelStepValue, Steered } from "./run-log.ts";

/** What an answer brings into the history: what the service has read for it, and descriptions that it saw first. */
export function readByModel({
  response,
  described = [],
}: Pick<ModelStepValue, "response" | "described">): ReadSource[] {
  return [...described, ...readByService(response)];
}

/** What messages that steer bring, where whoever took them did not say it: files. */
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

/** The same in one word, as observers and readers of events get it. */
export function markOfCall(value: Parameters<typeof readByCall>[1]): ReadsMark | undefined {
  const read = readByCall("", value);
  if (read.length === 0) return undefined;
  return read.some(isUntrusted) ? (read.some(isPrivate) ? "both" : "untrusted") : "private";
}
