/* oxlint-disable unicorn/no-thenable, typescript/only-throw-error -- tools do all of it */
import { Agent, defineTool, type RunResult, type Session, type Tool } from "@pollux/core";
import { assertGrammar, collect } from "@pollux/core/testing";
import { call, calls, script, text } from "@pollux/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openWorld } from "../support/world.ts";
import { Tally } from "./support/tally.ts";

const tally = new Tally("bad tools", ["runs", "right", "lost", "doubled", "untyped"]);
afterAll(() => tally.print());

const FACES: readonly [string, (session: Session, message: string) => Promise<RunResult<unknown>>][] = [
  ["send", (session, message) => session.send(message)],
  [
    "stream",
    async (session, message) => {
      const { events, result } = await collect(session.stream(message));
      assertGrammar(events);
      return result;
    },
  ],
];

function tool(run: Tool["run"], options: { readonly timeoutMs?: number } = {}): Tool {
  return defineTool({ name: "bad", description: "Does it badly.", input: { type: "object" }, ...options, run });
}

function cyclic(): object {
  const value: { self?: object; a: number } = { a: 1 };
  value.self = value;
  return value;
}

/** What a tool does, and what the model has to read of it. */
const BAD: readonly [string, Tool, RegExp][] = [
  [
    "throws at once",
    tool(() => {
      throw new Error("no");
    }),
    /^\{"error":"bad failed: no/,
  ],
  [
    "throws what is no error",
    tool(() => {
      throw { odd: true };
    }),
    /^\{"error":"bad failed/,
  ],
  ["rejects", tool(() => Promise.reject(new Error("no"))), /^\{"error":"bad failed: no/],
  [
    "rejects after its time is up",
    tool(() => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 60)), { timeoutMs: 20 }),
    /^\{"error":"bad did not answer within 20 ms/,
  ],
  [
    "never settles",
    tool(() => new Promise(() => {}), { timeoutMs: 20 }),
    /^\{"error":"bad did not answer within 20 ms/,
  ],
  ["returns a cycle", tool(cyclic), /^\{"output":\{"a":1,"self":"\[circular\]"\}\}$/],
  ["returns 200 MB", tool(() => "x".repeat(200_000_000)), /^.{60000,70000}$/s],
  [
    "returns a getter that throws",
    tool(() =>
      Object.defineProperty({}, "x", {
        enumerable: true,
        get: () => {
          throw new Error("no");
        },
      }),
    ),
    /^\{"output"/,
  ],
  [
    "returns a thenable",
    tool(() => ({ then: (resolve: (value: string) => void) => resolve("in time") })),
    /^\{"output":"in time"\}$/,
  ],
  [
    "returns a thenable that never settles",
    tool(() => ({ then: () => {} }), { timeoutMs: 20 }),
    /did not answer within 20 ms/,
  ],
  ["returns nothing", tool(() => undefined), /^\{"output":null\}$/],
  ["returns a function", tool(() => () => 1), /^\{"output":null\}$/],
  [
    "yields for ever",
    tool(
      async function* () {
        for (;;) yield await new Promise((resolve) => setTimeout(resolve, 1));
      },
      { timeoutMs: 30 },
    ),
    /did not answer within 30 ms/,
  ],
  [
    "writes to its input",
    tool((input) => Object.assign(input as object, { changed: true, deep: null }) && "ok"),
    /^\{"output":"ok"\}$/,
  ],
];

describe.each(FACES)("a session read by %s, with a tool that", (_face, read) => {
  test.each(BAD)("%s, ends with the right answer", { timeout: 20_000 }, async (name, bad, expected) => {
    const args = { deep: { list: [1, 2] } };
    await using world = await openWorld({ brain: script([call("bad", args), text("Done.")]) });
    const session = new Agent({ model: world.model(), tools: [bad] }).session();
    tally.count(name, "runs");
    const result = await read(session, "Do it.");
    const history = await session.history();
    expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(JSON.stringify(history[2]?.parts[0]?.functionResponse?.response)).toMatch(expected);
    expect(history[1]?.parts.find((part) => part.functionCall !== undefined)?.functionCall?.args).toEqual(args);
    // What was sent is what is kept.
    expect((JSON.parse(world.bodies[1] ?? "{}") as { contents: unknown }).contents).toEqual(history.slice(0, 3));
    tally.count(name, "right");
  });

  test("is called 500 times in one turn, answers each call once, in order", { timeout: 20_000 }, async () => {
    const ran: number[] = [];
    let inside = 0;
    let most = 0;
    const count = defineTool({
      name: "count",
      description: "Counts.",
      input: z.object({ n: z.number() }),
      run: async ({ n }) => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, n % 3));
        inside--;
        ran.push(n);
        return n;
      },
    });
    const asked = Array.from({ length: 500 }, (_, n) => ({ name: "count", args: { n } }));
    await using world = await openWorld({ brain: script([calls(asked), text("Done.")]) });
    const agent = new Agent({ model: world.model(), tools: [count], limits: { toolCalls: 300 } });
    const name = "is called 500 times";
    tally.count(name, "runs");
    const session = agent.session();
    const result = await read(session, "Count.");
    const answers = (await session.history())[2]?.parts.map((part) => part.functionResponse?.response) ?? [];
    expect(answers).toHaveLength(500);
    expect(answers.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, n) => ({ output: n })));
    expect(answers[300]).toEqual({ error: "not run: the limit of 300 function calls for this run is reached" });
    expect(ran).toHaveLength(300);
    expect(new Set(ran).size).toBe(300);
    expect(most).toBe(8);
    expect(result).toMatchObject({ stopReason: "limit", limit: { name: "toolCalls" } });
    tally.count(name, "right");
  });
});

test("nothing was lost, doubled or untyped", () => {
  expect(tally.total("right")).toBe(tally.total("runs"));
});
