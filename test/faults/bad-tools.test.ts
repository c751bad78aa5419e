import { isDeepStrictEqual } from "node:util";
import { Agent, type AnyTool, type Content, defineTool } from "@pollux/core";
import { calls, say } from "@pollux/emulator";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { SESSION_FACES } from "../../packages/core/test/session/session-faces.ts";
import { byStep } from "../support/trip.ts";
import { openWorld, refusals } from "../support/world.ts";
import { illegal } from "./support/end-of-errand.ts";
import { Tally } from "./support/tally.ts";

const tally = new Tally("tools that misbehave", [
  "runs",
  "answered",
  "told what is wrong",
  "lost",
  "doubled",
  "untyped",
]);
afterAll(() => tally.print());

const unheard: unknown[] = [];
const hear = (error: unknown): void => void unheard.push(error);
beforeEach(() => void process.on("unhandledRejection", hear));
afterEach(() => void process.off("unhandledRejection", hear));

/** A tool, the number of calls per turn, and the expected responses. */
interface Bad {
  readonly run: (input: { list: number[] }, signal: AbortSignal) => unknown;
  readonly calls?: number;
  readonly timeoutMs?: number;
  readonly reads: RegExp;
}

/** Far more than the limit of a result. */
const HUGE = 16 * 1024 * 1024;

/** Lets whatever is due happen. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Resolves when a tool's time is up. */
const timeUp = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

function ring(): unknown {
  const one: { [name: string]: unknown } = { name: "ring" };
  return Object.assign(one, { self: one, list: [one] });
}

const BAD: Readonly<Record<string, Bad>> = {
  "throws at once": {
    run: () => {
      throw new Error("on fire");
    },
    reads: /"error":.*failed with an internal error/,
  },
  "throws what is no error": {
    run: () => {
      // eslint-disable-next-line typescript/only-throw-error -- as a careless tool does
      throw undefined;
    },
    reads: /"error":/,
  },
  "rejects when its time is up": {
    run: async (_input, signal) => {
      await timeUp(signal);
      throw new Error("too late");
    },
    timeoutMs: 10,
    reads: /"error":.*timed out after 10 ms/,
  },
  "never settles": { run: () => new Promise(() => {}), timeoutMs: 20, reads: /"error":.*timed out after 20 ms/ },
  "gives cycles": { run: ring, reads: /"output":.*ring/ },
  "gives a long text": { run: () => "x".repeat(HUGE), reads: /"output":"x{1000}/ },
  "gives a list of long texts": {
    run: () => Array.from({ length: 16 }, () => "x".repeat(HUGE / 16)),
    reads: /"output":/,
  },
  "gives an object with a getter that throws": {
    run: () => ({
      fine: 1,
      get broken(): never {
        throw new Error("do not look");
      },
    }),
    reads: /"(output|error)":/,
  },
  "gives what is no JSON": {
    run: () => ({ big: 10n, nothing: Number.NaN, call: () => 1, when: new Date(0), map: new Map([["a", 1]]) }),
    reads: /"output":/,
  },
  "gives nothing": { run: () => undefined, reads: /"output":/ },
  "gives a thenable that resolves": {
    // oxlint-disable-next-line unicorn/no-thenable -- what some libraries give
    run: () => ({ then: (resolve: (value: string) => void) => resolve("by and by") }),
    reads: /"output":"by and by"/,
  },
  "gives a thenable that never answers": {
    // oxlint-disable-next-line unicorn/no-thenable -- what some libraries give
    run: () => ({ then: () => {} }),
    timeoutMs: 20,
    reads: /"error":.*timed out after 20 ms/,
  },
  "gives a thenable that throws": {
    run: () => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what some libraries give
      then: () => {
        throw new Error("not even this");
      },
    }),
    reads: /"error":.*failed with an internal error/,
  },
  "is called 500 times in a turn": {
    run: async ({ list }) => (await turn(), list[0]),
    calls: 500,
    reads: /"output":/,
  },
  "writes to its input": {
    run: (input) => {
      input.list.push(99);
      Object.assign(input, { list: "gone" });
      return "wrote";
    },
    reads: /"output":"wrote"/,
  },
};

function toolOf({ run, timeoutMs }: Bad, ran: number[]): AnyTool {
  return defineTool({
    name: "bad",
    description: "Misbehaves.",
    timeoutMs,
    // Not checked further, so that only the library copies it.
    input: { type: "object", properties: { list: { type: "array", items: { type: "integer" } } }, required: ["list"] },
    run: (given, { signal }) => {
      const input = given as { list: number[] };
      ran.push(input.list[0] ?? -1);
      return run(input, signal);
    },
  });
}

describe.each(Object.entries(BAD))("a tool that %s", (name, bad) => {
  test.each(SESSION_FACES)("is answered, and the session goes on: %s", async (_face, face) => {
    const made = Array.from({ length: bad.calls ?? 1 }, (_, index) => ({ name: "bad", args: { list: [index, 2] } }));
    await using world = await openWorld({
      brain: byStep(
        () => calls(...made),
        () => say("That was that."),
      ),
      largeSignatures: false,
    });
    const ran: number[] = [];
    const limits = { toolCalls: 1000 };
    const session = new Agent({ model: world.model(), tools: [toolOf(bad, ran)], limits }).session();
    const problems: string[] = [];
    const check = (isRight: boolean, problem: string): void => void (isRight || problems.push(problem));

    const result = await face.send(session, "Go.");
    check(result.text === "That was that.", `lost: ended with ${result.stopReason}`);
    const history = await session.history();
    const wrong = illegal(history);
    check(wrong === undefined, `lost: ${wrong}`);
    const answers = answersIn(history);
    check(answers.length === made.length, `lost: ${answers.length} of ${made.length} calls are answered`);
    for (const answer of answers) check(bad.reads.test(answer), `lost: the model reads ${answer.slice(0, 200)}`);
    check(
      isDeepStrictEqual(
        callsIn(history),
        made.map(({ args }) => args),
      ),
      "lost: the calls were changed",
    );
    // Each once, regardless of the result.
    check(new Set(ran).size === made.length, `lost: ${new Set(ran).size} of ${made.length} calls ran`);
    check(new Set(ran).size === ran.length, `doubled: ${ran.length} calls ran for ${made.length}`);

    // The next message finds a valid session, and late results of a tool are dropped.
    for (let turns = 0; turns < 5; turns++) await turn();
    check(
      (await face.send(session, "Once more.")).text === "That was that.",
      "lost: the next message was not answered",
    );
    check(refusals(world.emulator).length === 0, "untyped: the service refused a request");
    for (const error of unheard.splice(0)) problems.push(`untyped: nobody heard ${String(error)}`);
    tally.count(name, "runs", 2);
    tally.count(name, "answered", answers.length);
    tally.count(name, "told what is wrong", answers.filter((one) => one.startsWith('{"error"')).length);
    expect(tally.found(name, "", problems)).toEqual([]);
  });
});

function answersIn(history: readonly Content[]): readonly string[] {
  return history.flatMap(({ parts }) =>
    parts.flatMap(({ functionResponse }) => (functionResponse ? [JSON.stringify(functionResponse.response)] : [])),
  );
}

function callsIn(history: readonly Content[]): readonly unknown[] {
  return history.flatMap(({ parts }) => parts.flatMap(({ functionCall }) => functionCall?.args ?? []));
}
