import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type AnyTool, type Content, defineTool, type Session, type SessionStore } from "@pollux/core";
import { calls, join, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import type { Effects } from "../effects.ts";

/** The start of every message that starts a run; steering messages start otherwise. */
export const TASK = "Task";
/** A task whose last call needs an approval. */
export const ASKING = `${TASK}, with approval`;
/** The model's answer at the end of each task. */
export const DONE = "The task is done.";

/** The environment of a rival's agent. */
export interface AgentPlace {
  readonly store: SessionStore;
  readonly id: string;
  readonly effects: Effects;
  readonly random: () => number;
  readonly leaseMs?: number | undefined;
  /** Called in the middle of a tool and of an answer. */
  readonly reached?: ((point: string) => Promise<void>) | undefined;
}

/** A session whose model and tools take up to a few milliseconds each. */
export function openSession({ store, id, effects, random, leaseMs, reached }: AgentPlace): Session {
  const pause = (): Promise<unknown> => sleep(random() * 8);
  const model = new ScriptedModel(
    ...Array.from({ length: 60 }, () => async ({ contents }: { readonly contents: readonly Content[] }) => {
      await pause();
      await reached?.("model");
      return nextTurn(contents);
    }),
  );
  return new Agent({ model, tools: tools(effects, pause, reached) }).session({ id, store, leaseMs });
}

/** Three parallel calls, then one that may need an approval, then a text, depending on the last task's progress. */
function nextTurn(contents: readonly Content[]): ScriptedTurn {
  const at = contents.findLastIndex(({ parts }) => parts[0]?.text?.startsWith(TASK));
  const turns = contents.slice(at + 1).filter(({ parts }) => parts.some(({ functionCall }) => functionCall));
  if (turns.length === 0) return join(say("On ", "it."), calls("look", "save", "pay"));
  const asks = contents[at]?.parts[0]?.text?.startsWith(ASKING) === true;
  return turns.length === 1 && asks ? calls("confirm") : say("The task ", "is done.");
}

const EFFECTS = { look: "none", save: "idempotent", pay: "once", confirm: "once" } as const;

function tools(effects: Effects, pause: () => Promise<unknown>, reached: AgentPlace["reached"]): readonly AnyTool[] {
  return (["look", "save", "pay", "confirm"] as const).map((name) =>
    defineTool({
      name,
      description: "One step of the task.",
      effects: EFFECTS[name],
      reads: "trusted",
      ...(name === "confirm" && { needsApproval: true }),
      run: async (_input: unknown, { idempotencyKey }) => {
        effects.tell({ step: "start", what: name, key: idempotencyKey });
        // Ignores the abort: only the outside world sees the rest of such a tool's work.
        await pause();
        await reached?.(name);
        effects.tell({ step: "end", what: name, key: idempotencyKey });
        return `${name} done`;
      },
    }),
  );
}
