import { ConfigurationError } from "../../errors/agent-error.ts";
import {
  check,
  gate,
  type NamedStepsCheck,
  ok,
  oneRound,
  rejects,
  same,
  stepOp,
  type StepsHarness,
} from "./steps-harness.ts";
import { CRASH_CHECKS } from "./crash-checks.ts";
import { EXTERNAL_CHECKS } from "./external-checks.ts";

/** One check. */
export interface StepsCheck {
  readonly name: string;
  /** Why it is skipped, if it is: `run` then does nothing. */
  readonly skipped?: string | undefined;
  /** @throws {Error} Naming the broken promise. */
  readonly run: () => Promise<void>;
}

/**
 * The contract of `Steps` as checks for any test runner: rounds, failures, crashes, waits, children, steering. A check that hangs
 * has failed: set a time limit in the runner.
 *
 * @example
 * describe.each(stepsConformance({ can, open: () => new MyWorld() }))("$name", ({ run, skipped }) => {
 *   test.skipIf(skipped !== undefined)("holds", run);
 * });
 */
export function stepsConformance(harness: StepsHarness): readonly StepsCheck[] {
  const { can } = harness;
  return [...ROUND_CHECKS, ...CRASH_CHECKS, ...EXTERNAL_CHECKS].map(([name, needs, run]): StepsCheck => {
    const reasons = needs.flatMap((need) => {
      const able = can[need];
      return typeof able === "string" ? [`${need}: ${able}`] : [];
    });
    if (reasons.length > 0) return { name, skipped: reasons.join("; "), run: async () => {} };
    return {
      name,
      run: async () => {
        const world = await harness.open();
        try {
          await run(world, can);
        } finally {
          await world.close?.();
        }
      },
    };
  });
}

/** The contract of a round. */
const ROUND_CHECKS: readonly NamedStepsCheck[] = [
  check("an empty round has no outcomes", [], async (world) => {
    const program = oneRound(() => []);
    same(await world.run("r", program), [], "outcomes");
  }),
  check("outcomes are in the order of the operations, whichever ends first", [], async (world) => {
    const second = gate();
    const ops = () => [
      stepOp("a", () => second.opened.then(() => 1)),
      stepOp("b", () => second.open()),
      stepOp("c", () => "three"),
    ];
    same(await world.run("r", oneRound(ops)), [ok(1), ok(null), ok("three")], "outcomes");
  }),
  check("all operations of a round run at once, started in their order", [], async (world) => {
    const started: string[] = [];
    const all = gate();
    const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const ops = () =>
      names.map((name) =>
        stepOp(name, async () => {
          started.push(name);
          if (started.length === names.length) all.open();
          await all.opened;
          return name;
        }),
      );
    same(await world.run("r", oneRound(ops)), names.map(ok), "outcomes");
    same(started, names, "the order in which they started");
  }),
  check("rounds run one after another, and each sees the outcomes of the one before", [], async (world) => {
    const sum = await world.run("r", async (steps) => {
      let total = 0;
      for (let index = 1; index <= 5; index++) {
        const [outcome] = await steps.round([stepOp(`add:${index}`, () => total + index)]);
        if (outcome?.ok !== true) throw new Error("a step failed");
        total = Number(outcome.value);
      }
      return total;
    });
    same(sum, 15, "the sum");
  }),
  check("two operations with one name are refused", ["refusesTwins"], async (world) => {
    const twice = oneRound(() => [stepOp("a", () => 1), stepOp("a", () => 2)]);
    same(await rejects(world.run("r", twice)), true, "two operations named a are refused");
  }),
  check("a failure is data with name, message and code, and its round continues", [], async (world) => {
    const ops = () => [
      stepOp("type", () => {
        throw new TypeError("no such thing");
      }),
      stepOp("ours", () => {
        throw new ConfigurationError("not set");
      }),
      stepOp("text", () => {
        // As careless tools do.
        // oxlint-disable-next-line only-throw-error
        throw "just text";
      }),
      stepOp("good", () => "done"),
    ];
    same(
      await world.run("r", oneRound(ops)),
      [
        { ok: false, error: { name: "TypeError", message: "no such thing" } },
        { ok: false, error: { name: "ConfigurationError", message: "not set", code: "configuration" } },
        { ok: false, error: { name: "Error", message: "just text" } },
        ok("done"),
      ],
      "outcomes",
    );
  }),
  check("a step gets its key, its attempt, a live signal and a working emit", [], async (world) => {
    const seen: unknown[] = [];
    const look = (once?: true) =>
      stepOp(
        once ? "call:1.0" : "model:1",
        async (step) => {
          const { key, attempt, signal } = step;
          await step.emit({ type: "text-delta", turn: 1, delta: "x" });
          seen.push({ key, attempt, aborted: signal.aborted });
        },
        once,
      );
    await world.run("run-7", async (steps) => {
      await steps.round([look()]);
      await steps.round([look(true)]);
      return steps.runId;
    });
    same(
      seen,
      [
        { key: "run-7/model:1", attempt: 1, aborted: false },
        { key: "run-7/call:1.0", attempt: 1, aborted: false },
      ],
      "what the steps got",
    );
  }),
  check("a value is plain JSON, even right after its step ran", ["plainValues"], async (world) => {
    const ops = () => [
      stepOp("a", () => ({ at: new Date(0), gone: undefined, list: [1, undefined] })),
      stepOp("b", () => {}),
    ];
    let kept: readonly string[] = [];
    await world.run("r", async (steps) => {
      kept = (await steps.round(ops())).map(
        (outcome) => JSON.stringify(outcome.ok && outcome.value) + typeof (outcome.ok && outcome.value),
      );
      return null;
    });
    same(kept, ['{"at":"1970-01-01T00:00:00.000Z","list":[1,null]}object', "nullobject"], "the values");
  }),
  check("a value that is too large is a ValueTooLargeError", ["maxBytes"], async (world, { maxBytes }) => {
    const most = Number(maxBytes);
    // Two bytes are the quotes.
    const ops = () => [stepOp("fits", () => "x".repeat(most - 2)), stepOp("large", () => "é".repeat(most / 2))];
    let found: unknown[] = [];
    await world.run("r", async (steps) => {
      found = (await steps.round(ops())).map((outcome) =>
        outcome.ok ? (outcome.value as string).length : { name: outcome.error.name, code: outcome.error.code },
      );
      return null;
    });
    same(found, [most - 2, { name: "ValueTooLargeError", code: "value-too-large" }], "outcomes");
  }),
];
