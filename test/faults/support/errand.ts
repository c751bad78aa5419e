import { fileURLToPath } from "node:url";
import { type AnyTool, type Content, defineJob, defineTool, type JsonObject } from "@pollux/core";
import { loadSkills } from "@pollux/tools/skills";
import { toolSearch } from "@pollux/tools/tool-search";
import type { Effects } from "./effects.ts";

/** Jobs: the service reports one, the run polls the other. */
export type JobName = "research" | "render";

/** One call of an errand. Its number identifies it, and is none that a model would make up. */
export interface Item {
  readonly name: "look" | "save" | "pay" | "study" | JobName;
  readonly item: number;
  /** The stand-in to call it through. */
  readonly via?: typeof VIA | undefined;
}

/** The stand-in for `study`, which is not declared, and possibly for the others. */
const VIA = "call_tool";

/** The calls of each turn of an errand. A last turn answers {@link DONE}. */
export type Errand = readonly (readonly Item[])[];

/**
 * Six turns and eight calls: three in parallel, and two that must not happen twice. One of these two, and one that reads a skill, go
 * through a stand-in.
 */
export const LONG: Errand = [
  [
    { name: "look", item: 101 },
    { name: "save", item: 102 },
    { name: "pay", item: 103 },
  ],
  [
    { name: "save", item: 104 },
    { name: "look", item: 105 },
  ],
  [{ name: "pay", item: 106, via: VIA }],
  [{ name: "study", item: 107, via: VIA }],
  [{ name: "save", item: 108 }],
];

/** Five turns and four calls, one after the other. */
export const PLAIN: Errand = [
  [{ name: "look", item: 101 }],
  [{ name: "save", item: 102 }],
  [{ name: "pay", item: 103 }],
  [{ name: "save", item: 104 }],
];

/** Four turns with two jobs beside a call, one job alone, and a call that must not happen twice between them. */
export const JOBS: Errand = [
  [
    { name: "research", item: 201 },
    { name: "look", item: 202 },
    { name: "render", item: 203 },
  ],
  [{ name: "pay", item: 204 }],
  [{ name: "research", item: 205 }],
];

/** The last answer of every errand. */
export const DONE = "All of the errand is done, to the last item.";

/** The message that starts an errand; contents before the last one don't count. */
export const GO = "Run the errand";

/** The message that starts the errand of one session among several, with its number. */
export function messageOf({ id }: { readonly id: string }): string {
  return `${GO} of ${id}.`;
}

/** The output of a successful tool. */
export function receipt({ name, item }: Item): string {
  return `${name} ${item} done`;
}

/** The receipts in a history, one per successful call, oldest first. */
export function receiptsIn(contents: readonly Content[]): readonly string[] {
  return contents.flatMap(({ parts }) =>
    parts.flatMap(({ functionResponse }) => {
      const output = functionResponse?.response["output"];
      return typeof output === "string" && output.endsWith(" done") ? [output] : [];
    }),
  );
}

/** Receipts of a whole errand. */
export function receiptsOf(errand: Errand): readonly string[] {
  return errand.flat().map(receipt);
}

const EFFECTS = { look: "none", save: "idempotent", pay: "once" } as const;

/** The model's call of an item. */
export function callOf({ name, item, via }: Item): { readonly name: string; readonly args: JsonObject } {
  return via === undefined ? { name, args: { item } } : { name: via, args: { name, input: { item } } };
}

const { tool: readSkill } = await loadSkills(fileURLToPath(new URL("../../../examples/skills", import.meta.url)));

/** The tools of an errand. They record their work in `effects`, before and after; jobs record their start. */
export function errandTools(effects: Effects, workMs: number): readonly AnyTool[] {
  const common = {
    description: "One item of the errand.",
    reads: "trusted",
    input: { type: "object", properties: { item: { type: "integer" } }, required: ["item"] },
  } as const;
  const runAs =
    (name: Item["name"]) =>
    async (input: unknown, { idempotencyKey }: { readonly idempotencyKey: string }): Promise<string> => {
      // The service checks the declaration, so the number is an item of the errand.
      const { item } = input as { readonly item: number };
      const what = receipt({ name, item });
      effects.tell({ step: "start", what, key: idempotencyKey });
      await new Promise((resolve) => setTimeout(resolve, workMs));
      effects.tell({ step: "end", what, key: idempotencyKey });
      return what;
    };
  const study = defineTool({
    ...common,
    name: "study",
    effects: "none",
    run: async (input, context) => {
      await readSkill.run({ name: "expense-policy" }, context);
      return await runAs("study")(input, context);
    },
  });
  return [
    ...(["look", "save", "pay"] as const).map((name) =>
      defineTool({ ...common, name, effects: EFFECTS[name], run: runAs(name) }),
    ),
    ...toolSearch([study], { budgetTokens: 0 }),
    // The id of a job is its receipt, which is also its outcome.
    defineJob({ ...common, name: "research", start: runAs("research") }),
    defineJob({ ...common, name: "render", start: runAs("render"), check: (jobId) => ({ output: jobId }) }),
  ];
}
