import type { Json } from "@pollux/core";
import { isRunSuspended, waitTimedOut } from "@pollux/core/durable";
import {
  aborting,
  asJson,
  check,
  gate,
  type NamedStepsCheck,
  ok,
  oneRound,
  reached,
  rejects,
  same,
  shortly,
  stepOp,
  type StepsProgram,
  through,
  userText,
} from "./steps-harness.ts";

const WAIT = { kind: "wait", name: "call:1.0/approval", question: { turn: 1, callId: "call:1.0" } } as const;

/** Answers, messages and cancellation from outside a run, and the runs that it starts itself. */
export const EXTERNAL_CHECKS: readonly NamedStepsCheck[] = [
  check("an answer that arrives before its wait is kept", ["waits"], async (world) => {
    const [started, answered] = [gate(), gate()];
    const program: StepsProgram = async (steps) => {
      await steps.round([stepOp("a", () => (started.open(), answered.opened))]);
      return asJson(await steps.round([WAIT]));
    };
    const run = through(world, "r", program);
    await reached(started, run);
    await world.answer?.("r", WAIT.name, true);
    answered.open();
    same(await run, [ok(true)], "outcomes");
  }),
  check("a wait is answered by its own name, while the steps of its round run", ["waits"], async (world) => {
    const done = gate();
    let runs = 0;
    const other = { ...WAIT, name: "call:1.1" };
    const ops = () => [WAIT, stepOp("work", () => (runs++, done.open(), "done")), other];
    const run = through(world, "r", oneRound(ops));
    await reached(done, run);
    await world.answer?.("r", other.name, { output: [1, { a: null }] });
    await world.answer?.("r", WAIT.name, { deny: "no" });
    same(await run, [ok({ deny: "no" }), ok("done"), ok({ output: [1, { a: null }] })], "outcomes");
    same(runs, 1, "how often the step ran");
  }),
  check("a wait times out when no answer arrives", ["waits", "timeouts"], async (world) => {
    const started = gate();
    const slow = { ...WAIT, name: "call:1.1", timeoutMs: 30 };
    const ops = () => [{ ...WAIT, timeoutMs: 600_000 }, slow, stepOp("work", () => started.open())];
    const run = through(world, "r", oneRound(ops));
    await reached(started, run);
    await world.answer?.("r", WAIT.name, true);
    same(await run, [ok(true), waitTimedOut("call:1.1", 30), ok(null)], "outcomes");
  }),
  check(
    "a wait without an answer suspends the run after the rest of its round",
    [],
    async (world, { waitsInPlace }) => {
      if (waitsInPlace === true) return;
      let done = false;
      const ops = () => [WAIT, stepOp("a", () => shortly().then(() => (done = true)))];
      const why = await world.run("r", oneRound(ops)).then(
        () => "it continued",
        (error: unknown) => (isRunSuspended(error) ? error.waiting : String(error)),
      );
      same(why, [WAIT.name], "what the run is suspended for");
      same(done, true, "the rest of the round is done");
    },
  ),
  check("cancelling a run aborts its running steps, and no more are started", ["cancel"], async (world) => {
    const started = gate();
    let [aborted, further] = [false, false];
    const program: StepsProgram = async (steps, { signal }) => {
      const run = stepOp("a", (step) => (started.open(), aborting(step, () => (aborted = true))));
      await steps.round([run]);
      // Steps that are not durable return the step's failure; the loop checks the signal.
      signal.throwIfAborted();
      await steps.round([stepOp("b", () => (further = true))]);
      return null;
    };
    const stopped = rejects(world.run("r", program));
    await reached(started, stopped);
    await world.cancel?.("r");
    same(await stopped, true, "the run was stopped");
    same({ aborted, further }, { aborted: true, further: false }, "its steps");
  }),
  check("children are separate runs, side by side, each with its id and input", ["children"], async (world) => {
    const seen: string[] = [];
    await world.child?.("helper", async (steps, { input }) => {
      const [outcome] = await steps.round([
        stepOp("model:1", ({ key }) => {
          seen.push(key);
          return { twice: Number(input) * 2 };
        }),
      ]);
      return { runId: steps.runId, ...(outcome?.ok === true && { value: outcome.value }) };
    });
    const ops = () =>
      [0, 1].map((index) => ({ kind: "child", name: `call:1.${index}`, agent: "helper", input: index + 20 }) as const);
    const program: StepsProgram = async (steps) => {
      const outcomes = await steps.round([...ops(), stepOp("work", () => "beside")]);
      return { named: steps.children?.has("helper") ?? false, outcomes: asJson(outcomes) };
    };
    const outcomes = [
      ok({ runId: "r:call:1.0", value: { twice: 40 } }),
      ok({ runId: "r:call:1.1", value: { twice: 42 } }),
      ok("beside"),
    ];
    same(await through(world, "r", program), { named: true, outcomes }, "result");
    same(seen.toSorted(), ["r:call:1.0/model:1", "r:call:1.1/model:1"], "the keys of the children's steps");
  }),
  check("cancelling a run ends its children", ["children", "cancel"], async (world) => {
    const [started, ended] = [gate(), gate()];
    await world.child?.("helper", async (steps) => {
      await steps.round([stepOp("model:1", (step) => (started.open(), aborting(step, () => ended.open())))]);
      return null;
    });
    const program = oneRound(() => [{ kind: "child", name: "call:1.0", agent: "helper", input: null }]);
    const stopped = rejects(world.run("r", program));
    await reached(started, stopped);
    await world.cancel?.("r");
    await ended.opened;
    same(await stopped, true, "the run was stopped");
  }),
  check("steering is read inside a step, once, from a position on", ["steering"], async (world) => {
    const [started, sent] = [gate(), gate()];
    const program: StepsProgram = async (steps) => {
      await steps.round([stepOp("a", () => (started.open(), sent.opened))]);
      // Present: the check requires it.
      const { steering } = steps;
      const waits = await steering?.waits?.(0);
      const [outcome] = await steps.round([
        stepOp("model:1", async () => {
          const first = await steering?.take(0);
          const more = await steering?.take(first?.upTo ?? 0);
          return { contents: first?.contents ?? [], upTo: first?.upTo ?? 0, more: more !== undefined };
        }),
      ]);
      const value = outcome?.ok === true ? outcome.value : null;
      const { contents, upTo, more } = value as { contents: Json; upTo: number; more: boolean };
      const later = await steering?.waits?.(upTo);
      return { contents, more, waits: waits ?? true, later: later ?? false };
    };
    const run = world.run("r", program);
    await reached(started, run);
    await world.steer?.("r", [userText("one")]);
    await world.steer?.("r", [userText("two")]);
    sent.open();
    same(
      await run,
      { contents: [userText("one"), userText("two")], more: false, waits: true, later: false },
      "what was read",
    );
  }),
  check("a message is refused once waits has said that there is none", ["steering"], async (world) => {
    const [looked, sent] = [gate(), gate()];
    let asks = false;
    const program: StepsProgram = async (steps) => {
      asks = steps.steering?.waits !== undefined;
      const waits = (await steps.steering?.waits?.(0)) ?? false;
      await steps.round([stepOp("a", () => (looked.open(), sent.opened))]);
      return waits;
    };
    const run = world.run("r", program);
    await reached(looked, run);
    // Without `waits` a run finishes without asking.
    const late = async (): Promise<void> => await world.steer?.("r", [userText("late")]);
    if (asks) same(await rejects(late()), true, "the message was refused");
    sent.open();
    same(await run, false, "a message waited");
  }),
  check("a run that ends for another reason gets its unread messages", ["steering"], async (world) => {
    const [started, sent] = [gate(), gate()];
    const program: StepsProgram = async (steps) => {
      await steps.round([stepOp("a", () => (started.open(), sent.opened))]);
      // Contents are JSON.
      return ((await steps.steering?.close?.(1)) ?? null) as unknown as Json;
    };
    const run = world.run("r", program);
    await reached(started, run);
    await world.steer?.("r", [userText("one")]);
    await world.steer?.("r", [userText("two")]);
    sent.open();
    const unread = await run;
    if (unread !== null) same(unread, [userText("two")], "what was not read");
  }),
  check("a run without steering reads none", ["steering"], async (world) => {
    const program: StepsProgram = async (steps) => {
      const waits = (await steps.steering?.waits?.(0)) ?? false;
      const [read] = await steps.round([
        stepOp("model:1", async () => ((await steps.steering?.take(0)) === undefined ? "nothing" : "something")),
      ]);
      return { waits, read: asJson(read) };
    };
    same(await world.run("r", program), { waits: false, read: ok("nothing") }, "what was read");
  }),
];
