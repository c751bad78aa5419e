import { type AnyTool, type Content, defineTool } from "@pollux/core";
import type { Effects } from "./effects.ts";

/** One call of an errand; its number says which, and is none that a model would come upon by itself. */
export interface Item {
  readonly name: "look" | "save" | "pay";
  readonly item: number;
}

/** The turns of an errand: what is called in each. A last one says {@link DONE}. */
export type Errand = readonly (readonly Item[])[];

/** Six turns and eight calls: three side by side, and two that must not happen twice. */
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
  [{ name: "pay", item: 106 }],
  [{ name: "look", item: 107 }],
  [{ name: "save", item: 108 }],
];

/** Five turns and four calls, one after the other. */
export const PLAIN: Errand = [
  [{ name: "look", item: 101 }],
  [{ name: "save", item: 102 }],
  [{ name: "pay", item: 103 }],
  [{ name: "save", item: 104 }],
];

/** What every errand ends with. */
export const DONE = "All of the errand is done, to the last item.";

/** The message that begins an errand; what is said before the last of these does not count. */
export const GO = "Run the errand";

/** The message that begins the errand of one session among several: it says which. */
export function messageOf({ id }: { readonly id: string }): string {
  return `${GO} of ${id}.`;
}

/** What a tool says that did its work. */
export function receipt({ name, item }: Item): string {
  return `${name} ${item} done`;
}

/** The receipts in a history, one for each call that was answered with one, oldest first. */
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

/** The tools of an errand; what they do is told to `effects`, before and after. */
export function errandTools(effects: Effects, workMs: number): readonly AnyTool[] {
  return (["look", "save", "pay"] as const).map((name) =>
    defineTool({
      name,
      description: "One item of the errand.",
      effects: EFFECTS[name],
      reads: "trusted",
      input: { type: "object", properties: { item: { type: "integer" } }, required: ["item"] },
      run: async (input, { idempotencyKey }) => {
        // The service holds to the declaration, and what is not there is not in the errand.
        const { item } = input as { readonly item: number };
        const what = receipt({ name, item });
        effects.tell({ step: "start", what, key: idempotencyKey });
        await new Promise((resolve) => setTimeout(resolve, workMs));
        effects.tell({ step: "end", what, key: idempotencyKey });
        return what;
      },
    }),
  );
}
