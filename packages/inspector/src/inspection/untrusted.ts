import type { UntrustedReason } from "@pollux/core";
import { explainUntrusted } from "@pollux/core/conversation";
import type { RunRow, SessionOverview, StepRow } from "./inspection.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./read-values.ts";
import type { ReadPlace } from "./step-place.ts";

/** The mark and origin of the content that the step of an answer or a call brought into the history. */
export function readsOf(kind: ReadPlace["kind"], value: Fields): Pick<StepRow, "reads" | "origin"> {
  const { reads, origin, nested, described, response, steered } = value;
  const inside = listOf(nested).flatMap((run) => listOf(fieldsOf(run)["read"]));
  const { groundingMetadata, urlContextMetadata } = fieldsOf(fieldsOf(response)["candidate"]);
  const isFound = kind === "model" && (groundingMetadata ?? urlContextMetadata) !== undefined;
  const own = kind === "call" ? [{ reads }] : isFound ? [{ reads: "untrusted" }] : [];
  const all = [...own, ...inside, ...listOf(described), ...listOf(fieldsOf(steered)["read"])];
  return { reads: joinReads(all), origin: textOf(origin) };
}

/** The combined mark of several sources in the log. */
export function joinReads(sources: unknown): StepRow["reads"] {
  const marks = new Set(listOf(sources).flatMap((source) => textOf(fieldsOf(source)["reads"]) ?? []));
  const [mark] = marks;
  if (mark === undefined) return undefined;
  return marks.size === 1 && (mark === "untrusted" || mark === "private") ? mark : "both";
}

/** Why untrusted content led to a question about a call, or a denial, as a sentence. Accepts a damaged reason. */
export function whyHeld(because: unknown, { name, args }: Fields): string | undefined {
  const { reach, rule, untrusted, private: secret, found } = fieldsOf(because);
  if (because === undefined) return undefined;
  const reason: UntrustedReason = {
    reach: reach === "lookup" ? reach : "outside",
    rule: rule === "deny" ? rule : "ask",
    untrusted: listOf(untrusted).map(String),
    private: listOf(secret).map(String),
    found: listOf(found).map(String),
  };
  return explainUntrusted(reason, { name: textOf(name) ?? "", args: fieldsOf(args) });
}

/** Marks the step that brought the first untrusted content into the current conversation. */
export function markUntrusted({ runs, history }: Pick<SessionOverview, "runs" | "history">): readonly RunRow[] {
  if (isUntrusted(history)) return runs;
  for (const [index, run] of runs.entries()) {
    if (run.takenBack === true) continue;
    if (isUntrusted(run)) break;
    for (const [number, turn] of run.turns.entries()) {
      const at = turn.steps.findIndex(isUntrusted);
      const step = turn.steps[at];
      if (step === undefined) continue;
      const steps = turn.steps.with(at, { ...step, isFirstUntrusted: true });
      const marked = { ...turn, steps, flags: [...turn.flags, "untrusted" as const] };
      return runs.with(index, { ...run, turns: run.turns.with(number, marked) });
    }
  }
  return runs;
}

function isUntrusted(row: Pick<StepRow, "reads"> | undefined): boolean {
  return row?.reads === "untrusted" || row?.reads === "both";
}
