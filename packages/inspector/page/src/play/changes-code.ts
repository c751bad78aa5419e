import type { Json } from "@pollux/core";
import { parseField } from "../acting/use-task.ts";
import type { PlayAgent, PlayChanges } from "../../../src/play/play.ts";

/** The values in the form of an agent. */
export interface PlayForm {
  readonly model: string;
  readonly instructions: string;
  /** Names of the tools that are on. */
  readonly tools: readonly string[];
  /** A number, as text; empty for the agent's. */
  readonly temperature: string;
  readonly maxOutputTokens: string;
  /** Empty for the agent's. */
  readonly thinking: string;
  /** More settings, as JSON; empty for none. */
  readonly settings: string;
  /** As JSON; empty for none. */
  readonly context: string;
}

/** The form for an agent as its code defines it. */
export function formOf({ model, instructions = "", tools }: PlayAgent): PlayForm {
  return {
    model,
    instructions,
    tools: tools.map(({ name }) => name),
    temperature: "",
    maxOutputTokens: "",
    thinking: "",
    settings: "",
    context: "",
  };
}

/** The differences between a form and the agent's code. @throws {SyntaxError} For settings that are not a JSON object. */
export function changesIn(form: PlayForm, agent: PlayAgent): PlayChanges {
  const own = formOf(agent);
  const settings = settingsIn(form);
  return {
    ...(form.model.trim() !== own.model && form.model.trim() !== "" && { model: form.model.trim() }),
    ...(form.instructions !== own.instructions && { instructions: form.instructions }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(form.tools.length !== own.tools.length && { tools: form.tools }),
  };
}

function settingsIn({ temperature, maxOutputTokens, thinking, settings }: PlayForm): { readonly [name: string]: Json } {
  const more: unknown = settings.trim() === "" ? {} : parseField(settings, "The text of More settings");
  if (typeof more !== "object" || more === null || Array.isArray(more))
    throw new SyntaxError('More settings must be a JSON object, such as {"topP": 0.9}.');
  return {
    ...(temperature !== "" && { temperature: Number(temperature) }),
    ...(maxOutputTokens !== "" && { maxOutputTokens: Number(maxOutputTokens) }),
    ...(thinking !== "" && { thinking }),
    ...more,
  };
}

/** Code of agent options that make the same changes; empty for none. */
export function codeOf({ model, instructions, settings, tools }: PlayChanges, agent: PlayAgent): string {
  const all = { ...agent.settings, ...settings };
  const lines = [
    model === undefined ? undefined : `model: ${JSON.stringify(model)},`,
    instructions === undefined ? undefined : `instructions: ${JSON.stringify(instructions)},`,
    settings === undefined ? undefined : `settings: { ${Object.entries(all).map(memberCode).join(", ")} },`,
    tools === undefined ? undefined : `tools: tools.filter(({ name }) => ${JSON.stringify(tools)}.includes(name)),`,
  ].filter((line) => line !== undefined);
  return lines.length === 0 ? "" : `new Agent({\n  // …\n${lines.map((line) => `  ${line}\n`).join("")}})`;
}

function memberCode([name, value]: readonly [string, Json]): string {
  return `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${JSON.stringify(value)}`;
}
