import {
  asJson,
  check,
  gate,
  type NamedStepsCheck,
  ok,
  oneRound,
  reached,
  same,
  stepOp,
  type StepsProgram,
  type StepsWorld,
  through,
} from "./steps-harness.ts";

const NEVER = new Promise<never>(() => {});

/** What survives a crash. */
export const CRASH_CHECKS: readonly NamedStepsCheck[] = [
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
      "the keys of the interrupted step afterwards",
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
