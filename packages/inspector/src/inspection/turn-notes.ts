import { callNames } from "./answer-calls.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./read-values.ts";
import type { NoteView } from "./turn-details.ts";
import { lastResponse, type TurnStep } from "./turn-step.ts";

/** Notes of a turn's steps besides answers and results of calls, as sentences. */
export function readNotes(steps: readonly TurnStep[]): readonly NoteView[] {
  const calls = callNames(lastResponse(steps));
  return steps.flatMap((step) => notesOf(step, calls).map(([kind, text]) => ({ kind, step: step.name, text })));
}

type Note = readonly [kind: NoteView["kind"], text: string];

function notesOf({ name, place, value: recorded, error }: TurnStep, calls: readonly string[]): readonly Note[] {
  if (error !== undefined) return [["error", `${textOf(error["name"]) ?? "Error"}: ${textOf(error["message"]) ?? ""}`]];
  const value = fieldsOf(recorded);
  switch (place.kind) {
    case "model":
      return [...guardNotes(value["checked"]), ...modelNotes(value)];
    case "guard":
      return guardNotes(value["actions"]);
    case "route":
      return routeNotes(recorded, calls);
    case "call": {
      const agent = textOf(value["handoff"]);
      return agent === undefined ? [] : [["handoff", `${agent} takes over with the next turn.`]];
    }
    case "compact": {
      const what = Array.isArray(value["contents"])
        ? "the messages that the handoff's filter kept"
        : "a summary of the oldest messages";
      return [["compaction", `From here on, the model reads ${what}.`]];
    }
    case "other":
      return [["other", `"${name}" is no step that this release knows.`]];
    default:
      return [];
  }
}

function modelNotes(value: Fields): readonly Note[] {
  const { breaks, tools, model } = fieldsOf(value["prepared"]);
  const chosen = textOf(fieldsOf(model)["id"]);
  const names = Array.isArray(tools) ? tools.map(String).join(", ") || "no functions" : undefined;
  const fields = listOf(breaks).map(String).join(", ");
  const notes: readonly (readonly [isSo: boolean, ...Note])[] = [
    [
      fields !== "",
      "prefix-break",
      `This request differs from the previous one in ${fields}, so the service's cache did not apply.`,
    ],
    [chosen !== undefined, "other", `The request went to ${chosen} instead of the run's model.`],
    [names !== undefined, "other", `The model could call ${names}.`],
    [value["tooLong"] === true, "retry", "The prompt was too long for the model, so the history was compacted."],
    [value["steered"] !== undefined, "steering", "This request included messages to the active run."],
    [
      value["steeringWaits"] === true,
      "steering",
      "More messages arrived while the model answered, so the run continued.",
    ],
  ];
  return notes.flatMap(([isSo, ...note]) => (isSo ? [note] : []));
}

function guardNotes(actions: unknown): readonly Note[] {
  return listOf(actions).map((action) => {
    const { name, action: kind, reason } = fieldsOf(action);
    const stops = kind === "stop" ? "stopped the run" : "replaced the text";
    const did = kind === "answer" ? "answered in the agent's place" : stops;
    const why = typeof reason === "string" && reason !== "" ? `: ${reason}` : "";
    return ["guardrail", `Guardrail ${textOf(name) ?? "without a name"} ${did}${why}.`];
  });
}

function routeNotes(routes: unknown, calls: readonly string[]): readonly Note[] {
  return listOf(routes).flatMap((route, index): readonly Note[] => {
    const { do: kind, why } = fieldsOf(route);
    const call = calls[index] ?? "A call";
    if (kind === "ask-approval") return [["route", `${call} needed approval.`]];
    if (kind === "ask-outcome") return [["route", `${call} runs outside of this process.`]];
    return kind === "deny" ? [["route", `${call} was denied: ${textOf(why) ?? "without a reason"}`]] : [];
  });
}
