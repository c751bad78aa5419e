import { Agent, type AnyTool, type Content, defineTool } from "@pollux/core";
import { calls, join, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import type { Effects } from "../../faults/support/effects.ts";

/** The start of every message with a task. */
export const TASK = "Task";
/** The model's answer at the end of each task. */
export const DONE = "The task is done.";

/** From this amount on, a `credit` needs an approval; a `refund` always needs one. */
export const CREDIT_LIMIT = 100;

/** From this amount on somebody else approves. */
const MANAGER_FROM = 150;

/** The arguments of each call: no two calls have the same `ref`. */
export interface CallArgs {
  readonly ref: string;
  readonly euros: number;
}

/** The environment of an actor's agent. */
export interface AgentPlace {
  readonly effects: Effects;
  readonly random: () => number;
  /** Unique among all actors of the session. */
  readonly name: string;
  /** Resolves after some milliseconds of this process's life; never if it dies first. */
  readonly lives: (ms: number) => Promise<void>;
}

/** An agent that does what its message says, turn by turn: `Task m1: look refund / pay.` */
export function raceAgent({ effects, random, name, lives }: AgentPlace): Agent {
  let count = 0;
  const model = new ScriptedModel(
    ...Array.from({ length: 400 }, () => async ({ contents }: { readonly contents: readonly Content[] }) => {
      await lives(random() * 20);
      return nextTurn(contents, () => ({ ref: `${name}.${count++}`, euros: 1 + Math.floor(random() * 200) }));
    }),
  );
  return new Agent({ model, tools: tools(effects, random, lives), limits: { turns: 40 } });
}

function nextTurn(contents: readonly Content[], nextArgs: () => CallArgs): ScriptedTurn {
  const at = contents.findLastIndex(({ parts }) => parts[0]?.text?.startsWith(TASK));
  const { plan = "" } = /: (?<plan>.*)\.$/.exec(contents[at]?.parts[0]?.text ?? "")?.groups ?? {};
  const turns = plan === "" ? [] : plan.split(" / ");
  const made = contents.slice(at + 1).filter(({ parts }) => parts.some(({ functionCall }) => functionCall)).length;
  const turn = turns[made];
  if (turn === undefined) return say("The task ", "is done.");
  return join(say("On ", "it."), calls(...turn.split(" ").map((name) => ({ name, args: { ...nextArgs() } }))));
}

const INPUT = {
  type: "object",
  properties: { ref: { type: "string" }, euros: { type: "integer" } },
  required: ["ref", "euros"],
} as const;

function tools(effects: Effects, random: () => number, lives: AgentPlace["lives"]): readonly AnyTool[] {
  const work = async (name: string, input: unknown, key: string): Promise<string> => {
    // The schema ensures it, and nobody else makes or edits arguments here.
    const { ref, euros } = input as CallArgs;
    const what = JSON.stringify({ name, ref, euros } satisfies Done);
    await lives(0);
    effects.tell({ step: "start", what, key });
    // Ignores the abort: only the outside world sees the rest of such a tool's work.
    await lives(random() * (name === "look" ? 60 : 15));
    effects.tell({ step: "end", what, key });
    return `${name} of ${ref} done`;
  };
  const own = (
    [
      { name: "look", effects: "none" },
      { name: "save", effects: "idempotent" },
      { name: "pay", effects: "once" },
      { name: "refund", effects: "once", needsApproval: true },
      {
        name: "credit",
        effects: "once",
        needsApproval: (input: unknown) => needsApproval("credit", input as CallArgs),
      },
    ] as const
  ).map((options) =>
    defineTool({
      ...options,
      description: "One step of the task.",
      input: INPUT,
      reads: "trusted",
      approvedBy: (input: unknown) => approverOf(input as CallArgs),
      editable: ["euros"],
      run: (input: unknown, { idempotencyKey }) => work(options.name, input, idempotencyKey),
    }),
  );
  const elsewhere = (["ship", "order"] as const).map((name) =>
    defineTool({
      name,
      description: "One step of the task, done elsewhere.",
      input: INPUT,
      reads: "trusted",
      needsApproval: name === "order",
    }),
  );
  return [...own, ...elsewhere];
}

/** An effect of a tool, as {@link Effects} keep it. */
export interface Done extends CallArgs {
  readonly name: string;
}

/** The approver of a call. */
export function approverOf({ euros }: Pick<CallArgs, "euros">): "clerk" | "manager" {
  return euros < MANAGER_FROM ? "clerk" : "manager";
}

/** Whether a call may only run once somebody has approved it with these arguments. */
export function needsApproval(name: string, { euros }: CallArgs): boolean {
  return name === "refund" || name === "order" || (name === "credit" && euros > CREDIT_LIMIT);
}
