import { Agent, defineTool, type RunEvent } from "@pollux/core";
import { type Op, type Outcome, RunSuspended, type Steps } from "@pollux/core/durable";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SESSION_FACES } from "../session/session-faces.ts";

/** Thrown when a round has done something new: the run is to be begun again from its start. */
class Restart extends Error {}

/**
 * Steps of the strictest kind: the run starts from its beginning after every round, gets what was recorded as text, and any
 * difference from the time before in names or order is an error.
 */
class RestartingSteps {
  readonly #rounds: string[] = [];
  readonly #outcomes = new Map<string, string>();
  readonly answers = new Map<string, unknown>();
  restarts = 0;

  of(run: { readonly runId: string; readonly signal: AbortSignal }): Steps<RunEvent> {
    let index = 0;
    return {
      runId: run.runId,
      round: async (ops) => {
        const names = ops.map(({ kind, name }) => `${kind} ${name}`).join(", ");
        const at = index++;
        this.#rounds[at] ??= names;
        if (this.#rounds[at] !== names) throw new Error(`round ${at} was "${this.#rounds[at]}" and is "${names}"`);
        const fresh = ops.filter((op) => !this.#outcomes.has(op.name));
        await Promise.all(fresh.map((op) => this.#do(op, run)));
        const waiting = ops.filter((op) => !this.#outcomes.has(op.name));
        if (waiting.length > 0) throw new RunSuspended(waiting.map(({ name }) => name));
        if (fresh.length > 0) throw new Restart();
        return ops.map((op): Outcome => JSON.parse(this.#outcomes.get(op.name) ?? "null") as Outcome);
      },
    };
  }

  async #do(
    op: Op<RunEvent>,
    { runId, signal }: { readonly runId: string; readonly signal: AbortSignal },
  ): Promise<void> {
    if (op.kind === "wait") {
      if (this.answers.has(op.name)) this.#set(op.name, { ok: true, value: this.answers.get(op.name) as null });
      return;
    }
    if (op.kind !== "step") throw new Error(`${op.kind} is not made by this run`);
    const value = await op.run({ key: `${runId}/${op.name}`, attempt: 1, signal, emit: async () => {} });
    this.#set(op.name, { ok: true, value: value as null });
  }

  #set(name: string, outcome: Outcome): void {
    this.#outcomes.set(name, JSON.stringify(outcome));
  }
}

describe.each(SESSION_FACES)("a run that starts from its beginning after every round, read by %s", (name) => {
  test("gives the result of a run that goes through, each step done once", async () => {
    const ran: string[] = [];
    const tool = (called: string, extra: object = {}) =>
      defineTool({
        name: called,
        description: "x",
        input: z.object({ n: z.number() }),
        run: ({ n }) => (ran.push(`${called} ${n}`), { n }),
        ...extra,
      });
    const tools = [tool("a"), tool("b", { sequential: true }), tool("c", { needsApproval: true, effects: "once" })];
    const script = [
      calls({ name: "a", args: { n: 1 } }, { name: "b", args: { n: 2 } }, { name: "c", args: { n: 3 } }),
      { batches: [], finishReason: "STOP" },
      call("a", { n: "wrong" }),
      calls({ name: "nobody", args: {} }, { name: "a", args: { n: 4 } }),
      say('{"sum":', "10}"),
    ];
    const model = new ScriptedModel(...script);
    const agent = new Agent({ model, tools });
    const steps = new RestartingSteps();
    steps.answers.set("call:1.2/approval", true);
    const output = z.object({ sum: z.number() });

    let result;
    for (;;) {
      try {
        const options = { runId: "r", output, steps: (run: { runId: string; signal: AbortSignal }) => steps.of(run) };
        if (name === "send") result = await agent.run("Go.", options);
        else {
          const stream = agent.stream("Go.", options);
          for await (const _ of stream);
          result = await stream.result();
        }
        break;
      } catch (error) {
        if (!(error instanceof Restart)) throw error;
        steps.restarts++;
      }
    }
    expect(result.stopReason === "finished" && result.output).toEqual({ sum: 10 });
    expect(ran).toEqual(["a 1", "b 2", "c 3", "a 4"]);
    expect(model.requests).toHaveLength(script.length);

    const through = await new Agent({ model: new ScriptedModel(...script), tools, approve: () => true }).run("Go.", {
      runId: "r",
      output,
    });
    expect(result.contents).toEqual(through.contents);
    expect(result.usage).toEqual(through.usage);
  });
});
