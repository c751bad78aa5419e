import type { Outcome } from "../durable/steps.ts";
import { isObject } from "../internal/json.ts";
import type { Content, Part } from "../wire/content.ts";
import type { ContentRef } from "./entries.ts";
import { isNameless } from "./content-shape.ts";
import { isModelStep } from "./map-contents.ts";
import type { Item } from "./mend-lines.ts";
import type { Change } from "./pair-calls.ts";

/** What steps and answers left, by their names, as a session reads it. */
export function outcomesOf(items: readonly Item[]): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const { entry } of items) {
    if (entry.type === "step") outcomes.set(entry.step, entry.outcome);
    else if (entry.type === "answer") outcomes.set(entry.step, { ok: true, value: entry.value });
  }
  return outcomes;
}

/** The contents that refs stand for, without those whose steps are missing. */
export function resolveKnown(
  refs: readonly ContentRef[],
  outcomes: ReadonlyMap<string, Outcome>,
): { contents: Content[]; missing: Change[] } {
  const missing: Change[] = [];
  const valueOf = (step: string): unknown => {
    const outcome = outcomes.get(step);
    return outcome?.ok === true ? outcome.value : undefined;
  };
  const lack = (step: string, remedy: string): [] => {
    missing.push({ problem: `the end speaks of ${step}, which is not in the log`, remedy });
    return [];
  };
  const contents = refs.flatMap((ref): Content | [] => {
    if ("model" in ref) {
      const value = valueOf(ref.model);
      return isModelStep(value) && !value.response.content.parts.some(isNameless)
        ? value.response.content
        : lack(ref.model, "what the model said is left out");
    }
    if ("role" in ref) return ref;
    const parts =
      "calls" in ref
        ? ref.calls.flatMap((one): Part | [] => {
            if (typeof one !== "string") return one;
            const value = valueOf(one);
            // The shape of call steps was checked.
            return isObject(value) && isObject(value["part"]) ? value["part"] : lack(one, "its result is left out");
          })
        : ref.after.flatMap((step): Part[] => {
            const value = valueOf(step);
            if (isObject(value) && Array.isArray(value["after"])) return value["after"] as Part[];
            return lack(step, "what followed its result is left out");
          });
    return parts.length === 0 ? [] : { role: "user", parts };
  });
  return { contents, missing };
}
