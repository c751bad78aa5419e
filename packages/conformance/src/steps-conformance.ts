import { ConfigurationError } from "@pollux/core";
import { EXTERNAL_CHECKS } from "./external-checks.ts";
import {
  asJson,
  check,
  gate,
  type NamedStepsCheck,
  ok,
  oneRound,
  reached,
  rejects,
  same,
  stepOp,
  type StepsHarness,
  type StepsProgram,
  type StepsWorld,
  through,
} from "./steps-harness.ts";

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
        // Careless tools do this.
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

const NEVER = new Promise<never>(() => {});

/** What survives a crash. */
const CRASH_CHECKS: readonly NamedStepsCheck[] = [
  check("a finished step is not run again after a crash, and has its outcome as JSON", ["durable"], async (world) => {
    let runs = 0;
    const value = { text: "é\u{1f600}\u2028", list: [0, -1.5, null], gone: undefined };
    const outcome = await crashAfter(world, () => (runs++, value));
    same(outcome, ok({ text: "é\u{1f600}\u2028", list: [0, -1.5, null] }), "outcome");
    same(runs, 1, "how often the step ran");
  }),
  check("an interrupted step is run again, under the same key and with its round", ["durable"], async (world) => {
    const runs: string[] = [];
    const all = gate();
    const program = (crash: boolean): StepsProgram =>
      oneRound(() =>
        ["a", "b", "c"].map((name) =>
          stepOp(name, ({ key }) => {
            runs.push(key);
            if (runs.length === 3) all.open();
            return crash && name === "b" ? NEVER : name;
          }),
        ),
      );
    await reached(all, world.run("r", program(true)));
    await world.reopen?.();
    same(await world.run("r", program(false)), [ok("a"), ok("b"), ok("c")], "outcomes");
    same(runs.slice(0, 3), ["r/a", "r/b", "r/c"], "the keys of the first run");
    // The other two had ended; whether that was recorded in time is a matter of luck.
    const again = runs.slice(3);
    same(
      again.filter((key) => key === "r/b"),
      ["r/b"],
      "the keys of the interrupted step after it",
    );
    same(new Set(again).size, again.length, "how many were run again, each once");
  }),
  check(
    "an interrupted once operation gets attempt 2, one that had not started attempt 1",
    ["durable"],
    async (world) => {
      const attempts: string[] = [];
      const cut = gate();
      const program =
        (crash: boolean): StepsProgram =>
        async (steps) => {
          const pay = stepOp(
            "pay",
            ({ attempt }) => {
              attempts.push(`pay ${attempt}`);
              return crash ? (cut.open(), NEVER) : null;
            },
            true,
          );
          await steps.round([pay]);
          await steps.round([stepOp("post", ({ attempt }) => void attempts.push(`post ${attempt}`), true)]);
          return null;
        };
      await reached(cut, world.run("r", program(true)));
      await world.reopen?.();
      await world.run("r", program(false));
      same(attempts, ["pay 1", "pay 2", "post 1"], "the attempts");
    },
  ),
  check("a recorded failure is not retried after a crash", ["durable", "keepsFailures"], async (world) => {
    let runs = 0;
    const outcome = await crashAfter(world, () => {
      runs++;
      throw new RangeError(`failed ${runs}`);
    });
    same(outcome, { ok: false, error: { name: "RangeError", message: "failed 1" } }, "outcome");
    same(runs, 1, "how often the step ran");
  }),
  check("a run continues through three crashes, and every step ends once", ["durable"], async (world) => {
    const ended: string[] = [];
    let crashes = 0;
    let cut = gate();
    const program: StepsProgram = async (steps) => {
      for (let turn = 1; turn <= 4; turn++) {
        await steps.round([
          stepOp(`turn:${turn}`, () => {
            if (turn === crashes + 2 && crashes < 3) return (cut.open(), NEVER);
            ended.push(`turn:${turn}`);
            return turn;
          }),
        ]);
        await steps.round(
          [0, 1].map((index) => stepOp(`work:${turn}.${index}`, () => void ended.push(`${turn}.${index}`))),
        );
      }
      return "through";
    };
    for (; crashes < 3; crashes++) {
      cut = gate();
      await reached(cut, world.run("r", program));
      await world.reopen?.();
    }
    same(await world.run("r", program), "through", "result");
    const all = [1, 2, 3, 4].flatMap((turn) => [`turn:${turn}`, `${turn}.0`, `${turn}.1`]);
    same(ended.toSorted(), all.toSorted(), "what ended");
  }),
  check("an answer is kept across a crash", ["durable", "waits"], async (world) => {
    const [started, cut] = [gate(), gate()];
    const program =
      (crash: boolean): StepsProgram =>
      async (steps) => {
        await steps.round([stepOp("a", () => started.open())]);
        const [answer] = await steps.round([{ kind: "wait", name: "call:1.0" }]);
        await steps.round([stepOp("b", () => (crash ? (cut.open(), NEVER) : null))]);
        return asJson(answer);
      };
    await reached(started, through(world, "r", program(true)));
    await world.answer?.("r", "call:1.0", { output: 7 });
    await cut.opened;
    await world.reopen?.();
    same(await through(world, "r", program(false)), ok({ output: 7 }), "the answer");
  }),
];

/** The outcome of a step, after a crash in the next step and a second run. */
async function crashAfter(world: StepsWorld, run: () => unknown): Promise<unknown> {
  const cut = gate();
  const program =
    (crash: boolean): StepsProgram =>
    async (steps) => {
      const [first] = await steps.round([stepOp("a", run)]);
      await steps.round([stepOp("b", () => (crash ? (cut.open(), NEVER) : null))]);
      return asJson(first);
    };
  await reached(cut, world.run("r", program(true)));
  await world.reopen?.();
  return await world.run("r", program(false));
}
