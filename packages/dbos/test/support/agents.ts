import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, defineTool } from "@pollux/core";
import type { ModelResponse } from "@pollux/core/model";
import { call, calls, fails, hangs, say, type ScriptedTurn, ScriptedModel } from "@pollux/core/testing";
import { z } from "zod";

/** How the agents of the tests behave in this process. */
export interface TestAgentsOptions {
  /** Told when a tool starts and ends, such as `start call:1.0 slow a`. */
  readonly log: (line: string) => void;
  /** Whether `hold` and `charge` never come to an end here, as in a process that is about to die. */
  readonly holds?: boolean | undefined;
}

/** A log in a file, which outlives its process. */
export function fileLog(path: string): (line: string) => void {
  return (line) => appendFileSync(path, `${line}\n`);
}

type Said = (turn: number, last: string) => ScriptedTurn | Promise<ScriptedTurn>;

/** A model that keeps nothing between requests: what it says depends on the turn and on what was said last. */
export function model(said: Said): ScriptedModel {
  const entry = (request: ScriptedModel["requests"][number]): ScriptedTurn | Promise<ScriptedTurn> => {
    const turn = request.contents.filter(({ role }) => role === "model").length + 1;
    return said(turn, JSON.stringify(request.contents.at(-1)?.parts ?? []));
  };
  return new ScriptedModel(...Array.from({ length: 1_000 }, () => entry));
}

/** The agents of the tests. */
export function testAgents({ log, holds = false }: TestAgentsOptions): readonly Agent[] {
  const note = defineTool({
    name: "note",
    description: "Is over at once.",
    input: z.object({ id: z.string() }),
    run: ({ id }) => {
      log(`note ${id}`);
      return { id };
    },
  });
  let meet: (() => void) | undefined;
  const pair = defineTool({
    name: "pair",
    description: "Ends when two of them are under way.",
    input: z.object({ id: z.string() }),
    run: async ({ id }) => {
      log(`start pair ${id}`);
      if (meet === undefined) await new Promise<void>((resolve) => (meet = resolve));
      else meet();
      log(`end pair ${id}`);
      return { id };
    },
  });
  const pay = defineTool({
    name: "pay",
    description: "Pays.",
    input: z.object({ amount: z.number() }),
    needsApproval: true,
    run: ({ amount }) => {
      log(`pay ${amount}`);
      return { paid: amount };
    },
  });
  const scan = defineTool({
    name: "scan",
    description: "Scans a code with the phone.",
    input: z.object({ what: z.string() }),
  });
  const late = defineTool({
    name: "late",
    description: "Asks somebody who does not answer.",
    input: z.object({}),
    answerTimeoutMs: 200,
  });
  const hang = defineTool({
    name: "hang",
    description: "Ends when it is aborted.",
    input: z.object({}),
    timeoutMs: Infinity,
    run: async (_, { signal }) => {
      log("start hang");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      log("hang aborted");
      return {};
    },
  });
  const huge = defineTool({
    name: "huge",
    description: "Gives too much.",
    input: z.object({}),
    run: () => "x".repeat(9 * 1024 * 1024),
  });
  const hold = defineTool({
    name: "hold",
    description: "Waits for the process to die.",
    input: z.object({ id: z.string() }),
    timeoutMs: Infinity,
    run: async ({ id }, { idempotencyKey }) => {
      log(`start hold ${id} ${idempotencyKey}`);
      if (holds) await new Promise<never>(() => {});
      log(`end hold ${id}`);
      return { id };
    },
  });
  const charge = defineTool({
    name: "charge",
    description: "Charges a card.",
    input: z.object({ amount: z.number() }),
    effects: "once",
    timeoutMs: Infinity,
    run: async ({ amount }) => {
      log(`charge ${amount}`);
      if (holds) await new Promise<never>(() => {});
      return { charged: amount };
    },
  });

  const clerk = new Agent({
    name: "clerk",
    tools: [pay],
    model: model((turn) => (turn === 1 ? call("pay", { amount: 7 }) : say("paid 7"))),
  });
  const sleeper = new Agent({
    name: "sleeper",
    tools: [hang],
    model: model((turn) => (turn === 1 ? call("hang") : say("woke up"))),
  });
  return [
    new Agent({
      name: "parallel",
      tools: [pair, pay],
      model: model((turn) =>
        turn === 1
          ? calls(
              { name: "pair", args: { id: "a" } },
              { name: "pair", args: { id: "b" } },
              { name: "pay", args: { amount: 3 } },
            )
          : say("all ", "done"),
      ),
    }),
    new Agent({
      name: "scanner",
      tools: [scan],
      model: model((turn, last) => (turn === 1 ? call("scan", { what: "box" }) : say(`scanned ${last}`))),
    }),
    new Agent({ name: "late", tools: [late], model: model((turn, last) => (turn === 1 ? call("late") : say(last))) }),
    new Agent({
      name: "listener",
      tools: [pay],
      model: model((turn, last) =>
        turn === 1 ? call("pay", { amount: 1 }) : say(last.includes("blue") ? "heard blue" : "heard nothing"),
      ),
    }),
    clerk,
    new Agent({
      name: "boss",
      tools: [clerk.asTool({ description: "Pays." })],
      model: model((turn, last) =>
        turn === 1 ? call("clerk", { task: "pay 7" }) : say(`boss: ${last.includes("paid 7")}`),
      ),
    }),
    new Agent({
      name: "chair",
      tools: [clerk.asTool({ name: "cashier", description: "Pays." })],
      model: model((turn, last) =>
        turn === 1 ? call("cashier", { task: "pay 7" }) : say(`chair: ${last.includes("paid 7")}`),
      ),
      approve: ({ path, call: { name } }) => {
        log(`approve ${name} ${path?.join(" ")}`);
        return true;
      },
    }),
    new Agent({
      name: "hasty",
      tools: [pay],
      limits: { turns: 1 },
      model: model(() => call("pay", { amount: 1 })),
    }),
    new Agent({ name: "mumbler", model: model(() => hangs("So far, ", "so good")) }),
    sleeper,
    new Agent({
      name: "waker",
      tools: [sleeper.asTool({ description: "Sleeps." })],
      model: model((turn) => (turn === 1 ? call("sleeper", { task: "sleep" }) : say("unreachable"))),
    }),
    new Agent({
      name: "glutton",
      tools: [huge],
      model: model((turn) => (turn === 1 ? call("huge") : say("had enough"))),
    }),
    new Agent({ name: "shouter", model: model(() => say("x".repeat(9 * 1024 * 1024))) }),
    new Agent({ name: "counter", model: model(() => say('{"count":3}')) }),
    new Agent({ name: "broken", model: model(() => fails(new TypeError("the model is gone"))) }),
    new Agent({ name: "teller", model: new Teller(...Array.from({ length: 10 }, () => TICKS)) }),
    new Agent({
      name: "holder",
      tools: [hold, charge],
      model: model((turn) =>
        turn === 1 ? calls({ name: "hold", args: { id: "a" } }, { name: "charge", args: { amount: 5 } }) : say("held"),
      ),
    }),
    new Agent({
      name: "chain",
      tools: [note, hold],
      model: model(
        (turn) => [call("note", { id: "1" }), call("hold", { id: "2" }), say("chained")][turn - 1] ?? say("?"),
      ),
    }),
  ];
}

const TICKS = say(...Array.from({ length: 10 }, () => "tick "));

/** Says the time, again and again: a reader knows how old each piece is. */
class Teller extends ScriptedModel {
  override async respond(...[request, options]: Parameters<ScriptedModel["respond"]>): Promise<ModelResponse> {
    let text = "";
    const answer = await super.respond(request, {
      ...options,
      onParts: async () => {
        await sleep(60);
        const now = `${Date.now()} `;
        text += now;
        await options.onParts?.([{ text: now }]);
      },
    });
    return { ...answer, content: { role: "model", parts: [{ text }] } };
  }
}
