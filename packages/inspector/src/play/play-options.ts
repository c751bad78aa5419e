import { type Agent, gemini, type Model, type RunOptions } from "@pollux/core";
import type { Rehearsal } from "@pollux/core/rehearsal";
import { fieldsOf, isFields, listOf } from "../inspection/read-values.ts";
import { emulatedModel } from "../replay/stand-in-model.ts";
import type { PlayChanges } from "./play.ts";

/** Options of a run of an agent with something changed: for its beginning, and whenever it goes on. */
export function playOptions(
  agent: Agent,
  changes: PlayChanges,
  { rehearsal, context }: { readonly rehearsal?: Rehearsal | undefined; readonly context?: unknown },
): RunOptions {
  const { instructions, settings, model, tools } = changes;
  const { tools: own = [], hooks } = agent.options;
  // Where the emulator answers, any endpoint will do; the service's is the agent's own.
  const asked = rehearsal === undefined || model === undefined ? model : gemini(model);
  const has = ({ name }: { readonly name: string }): boolean => tools?.includes(name) === true;
  return {
    ...(rehearsal !== undefined && { rehearsal }),
    ...(instructions !== undefined && { instructions }),
    ...(settings !== undefined && { settings }),
    ...(tools !== undefined && { tools: typeof own === "function" ? (run) => own(run).filter(has) : own.filter(has) }),
    ...(asked !== undefined && {
      hooks: { prepareTurn: async (turn) => ({ ...(await hooks?.prepareTurn?.(turn)), model: asked }) },
    }),
    // The type of a context is known to the agent's code only.
    ...(context !== undefined && { context: context as never }),
  };
}

/** The emulator answers in place of all models of a run, also inside its calls. Nothing of them leaves the process. */
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

/** Changes as the page sends them, or a run's metadata have them. @throws {TypeError} For anything else. */
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

/** Changes that a run's metadata have: none when they are an application's own, of that name. */
export function changesIn(metadata: unknown): PlayChanges {
  try {
    return readChanges(metadata);
  } catch {
    return {};
  }
}
