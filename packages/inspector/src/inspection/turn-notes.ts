import type { Json } from "@pollux/core";
import type { TurnStep } from "./turn-step.ts";
import { fieldsOf, listOf, textOf } from "./read-values.ts";
import type { NoteView } from "./turn-details.ts";

/** What a turn's steps recorded besides answers and the results of calls, as sentences. */
export function readNotes(turn: number, steps: readonly TurnStep[]): readonly NoteView[] {
  return steps.flatMap((step) => notesOf(step, turn));
}

function notesOf(step: TurnStep, turn: number): readonly NoteView[] {
  const base = { step: step.name, at: step.at };
  if (step.error !== undefined) {
    const { name: kind, message } = step.error;
    return [{ ...base, kind: "error", text: `${textOf(kind) ?? "Error"}: ${textOf(message) ?? ""}` }];
  }
  const value = fieldsOf(step.value);
  switch (step.place.kind) {
    case "model":
      return [...guardNotes(value["checked"], base), ...modelNotes(value, base)];
    case "guard":
      return guardNotes(value["actions"], base);
    case "route":
      return routeNotes(step.value, turn, base);
    case "call": {
      const agent = textOf(value["handoff"]);
      return agent === undefined ? [] : [{ ...base, kind: "handoff", text: `${agent} takes over with the next turn.` }];
    }
    case "compact":
      if (Array.isArray(value["contents"]))
        return [{ ...base, kind: "compaction", text: "From here on the model reads what the handoff's filter left." }];
      return [{ ...base, kind: "compaction", text: "From here on the model reads a summary of the oldest messages." }];
    case "other":
      return [
        {
          ...base,
          kind: "other",
          text: `The run has no step of the name "${step.name}".`,
          ...(step.value !== undefined && { value: step.value as Json }),
        },
      ];
    default:
      return [];
  }
}

type Base = Pick<NoteView, "step" | "at">;

function modelNotes(value: { readonly [key: string]: unknown }, base: Base): readonly NoteView[] {
  const notes: NoteView[] = [];
  const { breaks, tools, model } = fieldsOf(value["prepared"]);
  if (listOf(breaks).length > 0)
    notes.push({
      ...base,
      kind: "prefix-break",
      text: `This request differs from the one before it in ${listOf(breaks).map(String).join(", ")}, so the service's cache did not apply.`,
    });
  const asked = textOf(fieldsOf(model)["id"]);
  if (asked !== undefined)
    notes.push({ ...base, kind: "other", text: `The model ${asked} was asked instead of the run's.` });
  if (Array.isArray(tools))
    notes.push({
      ...base,
      kind: "other",
      text: `The answer could call ${tools.length === 0 ? "no functions" : tools.map(String).join(", ")}.`,
    });
  if (value["tooLong"] === true)
    notes.push({
      ...base,
      kind: "retry",
      text: "The prompt was too long for the model, so the history was compacted.",
    });
  if (value["steered"] !== undefined)
    notes.push({ ...base, kind: "steering", text: "Messages to the run went along with this request." });
  if (value["steeringWaits"] === true)
    notes.push({
      ...base,
      kind: "steering",
      text: "More messages arrived while the model answered, so the run went on.",
    });
  return notes;
}

function guardNotes(actions: unknown, base: Base): readonly NoteView[] {
  return listOf(actions).map((action) => {
    const { name, action: what, reason } = fieldsOf(action);
    const stops = what === "stop" ? "stopped the run" : "replaced the text";
    const did = what === "answer" ? "answered in the agent's place" : stops;
    const why = typeof reason === "string" && reason !== "" ? `: ${reason}` : "";
    return {
      ...base,
      kind: "guardrail",
      text: `Guardrail ${textOf(name) ?? "without a name"} ${did}${why}.`,
      value: action as Json,
    };
  });
}

function routeNotes(routes: unknown, turn: number, base: Base): readonly NoteView[] {
  return listOf(routes).flatMap((route, index): readonly NoteView[] => {
    const { do: what, why } = fieldsOf(route);
    const call = `call:${turn}.${index}`;
    if (what === "ask-approval") return [{ ...base, kind: "route", text: `${call} needed approval.` }];
    if (what === "ask-outcome") return [{ ...base, kind: "route", text: `${call} is carried out elsewhere.` }];
    if (what === "deny")
      return [{ ...base, kind: "route", text: `${call} was denied: ${textOf(why) ?? "without a reason"}` }];
    return [];
  });
}
