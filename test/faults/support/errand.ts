import { type AnyTool, type Content, defineTool } from "@pollux/core";
import { type Answer, type Brain, type BrainTurn, calls, join, text } from "@pollux/emulator";
import { z } from "zod";
import type { Effects } from "./effects.ts";

/** One call of an errand; its number says which. */
export interface Item {
  readonly name: "look" | "save" | "pay";
  readonly item: number;
}

/** The turns of an errand: what is called in each. A last one says {@link DONE}. */
export type Errand = readonly (readonly Item[])[];

/** Six turns and eight calls: three side by side, and two that must not happen twice. */
export const LONG: Errand = [
  [
    { name: "look", item: 1 },
    { name: "save", item: 2 },
    { name: "pay", item: 3 },
  ],
  [
    { name: "save", item: 4 },
    { name: "look", item: 5 },
  ],
  [{ name: "pay", item: 6 }],
  [{ name: "look", item: 7 }],
  [{ name: "save", item: 8 }],
];

/** Three turns and three calls: a short one, for where there are many. */
export const SHORT: Errand = [
  [
    { name: "look", item: 1 },
    { name: "pay", item: 2 },
  ],
  [{ name: "save", item: 3 }],
];

/** Five turns and four calls. */
export const PLAIN: Errand = [1, 2, 3, 4].map((item) => [{ name: item % 2 === 0 ? "save" : "look", item } as const]);

/** What every errand ends with. */
export const DONE = "All of the errand is done, to the last item.";

/** The message that begins an errand; what is said before the last of these does not count. */
export const GO = "Run the errand";

/** What a tool says that did its work. */
export function receipt({ name, item }: Item): string {
  return `${name} ${item} done`;
}

/**
 * A brain that calls what has no receipt yet, in the order of the errand: it is not put off by calls that went wrong, and can
 * be asked the same twice.
 */
export function errandBrain(errand: Errand): Brain {
  return {
    answer: ({ request }: BrainTurn): Answer => {
      const got = receiptsIn(sinceGo(request.contents));
      for (const turn of errand) {
        const open = turn.filter((one) => !got.includes(receipt(one)));
        if (open.length > 0) {
          return join([text("On it."), calls(open.map(({ name, item }) => ({ name, args: { item } })))]);
        }
      }
      return text(DONE);
    },
  };
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

function sinceGo(contents: readonly Content[]): readonly Content[] {
  const at = contents.findLastIndex(({ parts }) => parts.some((part) => part.text?.startsWith(GO)));
  return contents.slice(at + 1);
}

const EFFECTS = { look: "none", save: "idempotent", pay: "once" } as const;

/** The tools of an errand; what they do is told to `effects`, before and after. */
export function errandTools(effects: Effects, workMs: number): readonly AnyTool[] {
  return (["look", "save", "pay"] as const).map((name) =>
    defineTool({
      name,
      description: "One item of the errand.",
      effects: EFFECTS[name],
      input: z.object({ item: z.number() }),
      run: async ({ item }, { idempotencyKey }) => {
        const what = receipt({ name, item });
        effects.tell({ step: "start", what, key: idempotencyKey });
        await new Promise((resolve) => setTimeout(resolve, workMs));
        effects.tell({ step: "end", what, key: idempotencyKey });
        return what;
      },
    }),
  );
}
