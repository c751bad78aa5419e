import { type Agent, gemini, type Model, type RunOptions } from "@pollux/core";
import type { Rehearsal } from "@pollux/core/rehearsal";
import { fieldsOf, isFields, listOf } from "../inspection/read-values.ts";
import { emulatedModel } from "../replay/stand-in-model.ts";
import type { PlayChanges } from "./play.ts";

/** Options for a run of a changed agent, for its start and for each resume. */
export function playOptions(
  agent: Agent,
  changes: PlayChanges,
  { rehearsal, context }: { readonly rehearsal?: Rehearsal | undefined; readonly context?: unknown },
): RunOptions {
  const { instructions, settings, model, tools } = changes;
  const { tools: own = [], hooks } = agent.options;
  // The emulator accepts any endpoint; for the service, the name resolves to the agent's own.
  const chosen = rehearsal === undefined || model === undefined ? model : gemini(model);
  const has = ({ name }: { readonly name: string }): boolean => tools?.includes(name) === true;
  return {
    ...(rehearsal !== undefined && { rehearsal }),
    ...(instructions !== undefined && { instructions }),
    ...(settings !== undefined && { settings }),
    ...(tools !== undefined && { tools: typeof own === "function" ? (run) => own(run).filter(has) : own.filter(has) }),
    ...(chosen !== undefined && {
      hooks: { prepareTurn: async (turn) => ({ ...(await hooks?.prepareTurn?.(turn)), model: chosen }) },
    }),
    // Only the agent's code knows the type of its context.
    ...(context !== undefined && { context: context as never }),
  };
}

/** The emulator replaces all models of a run, including those inside its calls. No request leaves the process. */
export function emulatedAnswers(): Rehearsal {
  const models = new Map<string, Model>();
  return {
    model: ({ id, origin, capabilities }) => {
      const { endpoint, family } = origin ?? { endpoint: id, family: capabilities.family };
      const key = JSON.stringify([id, endpoint, family]);
      const model = models.get(key) ?? emulatedModel({ id, origin: { endpoint, family } }, { exchanges: [] });
      models.set(key, model);
      return model;
    },
  };
}

/** Changes from the page, or from a run's metadata. @throws {TypeError} For anything else. */
export function readChanges(given: unknown): PlayChanges {
  const { model, instructions, settings, tools, ...more } = fieldsOf(given ?? {});
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw new TypeError(`changes: ${unknown.slice(0, 40)} can't be changed here.`);
  for (const [name, value] of Object.entries({ model, instructions }))
    if (value !== undefined && typeof value !== "string") throw new TypeError(`changes: ${name} must be a text.`);
  if (settings !== undefined && !isFields(settings)) throw new TypeError("changes: settings must be an object.");
  if (tools !== undefined && !(Array.isArray(tools) && listOf(tools).every((name) => typeof name === "string")))
    throw new TypeError("changes: tools must be a list of names.");
  // Checked member by member.
  return { ...(given as PlayChanges | undefined) };
}

/** Changes in a run's metadata; none if an application uses that name for something else. */
export function changesIn(metadata: unknown): PlayChanges {
  try {
    return readChanges(metadata);
  } catch {
    return {};
  }
}
