import type { Json } from "@pollux/core";
import type { PromptDifferences } from "../inspection/results.ts";
import type { RequestHead } from "./request-head.ts";

/** The part of a run's first request before its contents. */
interface Prompt {
  readonly model: string;
  readonly head: RequestHead;
}

/** The differences of two prompts; undefined if one of them is unknown. */
export function comparePrompts(left: Prompt | undefined, right: Prompt | undefined): PromptDifferences | undefined {
  if (left === undefined || right === undefined) return undefined;
  const [old, now] = [toolsOf(left.head), toolsOf(right.head)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return {
    models: [left.model, right.model],
    instructions: [left.head.instructions ?? "", right.head.instructions ?? ""],
    tools: names.flatMap((name): PromptDifferences["tools"] => {
      const [was, is] = [old.get(name), now.get(name)];
      if (was === is) return [];
      return [{ name, is: is === undefined ? "only-left" : was === undefined ? "only-right" : "changed" }];
    }),
    settings: settingsThatDiffer(settingsOf(left.head), settingsOf(right.head)),
  };
}

/** Each declaration as text, by the name of the function or built-in tool. */
function toolsOf({ functions, builtIns }: RequestHead): ReadonlyMap<string, string> {
  const own = functions.map((one): [string, string] => [one.name, JSON.stringify(one)]);
  const services = builtIns.map((one): [string, string] => [Object.keys(one).join(), JSON.stringify(one)]);
  return new Map([...own, ...services]);
}

function settingsOf({ settings, toolChoice, output }: RequestHead): ReadonlyMap<string, Json> {
  // All values come from JSON.
  return new Map(Object.entries({ ...settings, toolChoice, output })) as ReadonlyMap<string, Json>;
}

function settingsThatDiffer(
  left: ReadonlyMap<string, Json>,
  right: ReadonlyMap<string, Json>,
): PromptDifferences["settings"] {
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => JSON.stringify(left.get(name)) !== JSON.stringify(right.get(name)))
    .map((name) => ({ name, left: left.get(name), right: right.get(name) }));
}
