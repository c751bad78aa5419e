import type { CallDetails } from "./turn-details.ts";
import { fieldsOf, listOf, textOf } from "./read-values.ts";
import type { TurnStep } from "./turn-step.ts";

/** Characters per token, as the compaction of histories estimates. */
const CHARACTERS_PER_TOKEN = 4;

/** The skill that a call has read, as the tool recorded it, and about what its text adds to every request from then on. */
export function skillRead(callId: string, steps: readonly TurnStep[], told: unknown): CallDetails["skill"] {
  const read = steps.findLast(
    ({ place }) => place.kind === "inner" && place.callId === callId && place.name.startsWith("skill:"),
  );
  const { skill, file, sha256 } = fieldsOf(listOf(read?.value)[0]);
  if (typeof skill !== "string" || told === undefined) return undefined;
  const tokens = Math.ceil(JSON.stringify(told).length / CHARACTERS_PER_TOKEN);
  return { name: skill, file: textOf(file) ?? "", sha256: textOf(sha256) ?? "", tokens };
}
