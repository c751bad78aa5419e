import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@pollux/core";
import type { Outcome, Steps } from "@pollux/core/durable";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { stepsConformance, type StepsHarness, type StepsProgram } from "@pollux/conformance";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../../core/test/helpers/fake-time.ts";
import { MemoryEngine } from "../../engine/test/memory-engine.ts";
import { EVERYTHING, JOURNAL, JournalWorld, PASS_THROUGH, passThroughWorld } from "./steps-worlds.ts";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "pollux-steps-"));
}

const HARNESSES: readonly (readonly [string, StepsHarness])[] = [
  ["the pass-through", { can: PASS_THROUGH, open: passThroughWorld }],
  [
    "the journal in a MemoryStore",
    {
      can: JOURNAL,
      open: () => {
        const store = new MemoryStore();
        return new JournalWorld(() => store);
      },
    },
  ],
  [
    "the journal in a SqliteStore",
    {
      can: JOURNAL,
      open: () => {
        const inside = folder();
        const opened: SqliteStore[] = [];
        const open = (): SqliteStore => {
          const store = new SqliteStore(join(inside, "sessions.db"));
          opened.push(store);
          return store;
        };
        return new JournalWorld(open, () => {
          for (const store of opened) store.close();
          rmSync(inside, { recursive: true });
        });
      },
    },
  ],
  [
    "the journal in a JsonlStore",
    {
      can: JOURNAL,
      open: () => {
        const inside = folder();
        return new JournalWorld(
          () => new JsonlStore(join(inside, "sessions")),
          () => rmSync(inside, { recursive: true }),
        );
      },
    },
  ],
  ["an engine", { can: { ...EVERYTHING, maxBytes: 100_000 }, open: () => new MemoryEngine({ maxBytes: 100_000 }) }],
  [
    "an engine that begins a run anew after every round",
    {
      can: { ...EVERYTHING, maxBytes: 100_000 },
      open: () => new MemoryEngine({ restarting: true, maxBytes: 100_000 }),
    },
  ],
];

describe.each(HARNESSES)("%s", (_, harness) => {
  describe.each(stepsConformance(harness))("$name", ({ run, skipped }) => {
    test.skipIf(skipped !== undefined)(skipped ?? "holds", run);
  });
});

describe("what is left out", () => {
  test("is listed with the reasons, and does nothing", async () => {
    const open = (): never => {
      throw new Error("opened");
    };
    const left = stepsConformance({ can: PASS_THROUGH, open }).filter(({ skipped }) => skipped !== undefined);
    for (const { run } of left) await run();
    const reasons = left.map(({ skipped }) => skipped);
    expect(left.length).toBeGreaterThan(10);
    expect(reasons).toContain("durable: nothing is written down; keepsFailures: nothing is written down");
    expect(new Set(reasons.join("; ").match(/\b[a-zA-Z]+(?=: )/g))).toEqual(
      new Set(
        Object.entries(PASS_THROUGH).flatMap(([name, able]) =>
          // How a run waits changes what is checked, not whether.
          typeof able === "string" && name !== "waitsInPlace" ? [name] : [],
        ),
      ),
    );
  });
});

/** An engine with one promise broken. */
class BrokenEngine extends MemoryEngine {
  readonly #change: (steps: Steps) => Partial<Steps>;

  constructor(change: (steps: Steps) => Partial<Steps>) {
    super({ maxBytes: 100_000 });
    this.#change = change;
  }

  override run(runId: string, program: StepsProgram): ReturnType<MemoryEngine["run"]> {
    return super.run(runId, (steps, run) => program({ ...steps, ...this.#change(steps) }, run));
  }
}

const FAULTS: readonly { fault: string; change: (steps: Steps) => Partial<Steps>; noticed: RegExp }[] = [
  {
    fault: "gives outcomes in another order",
    change: (steps) => ({ round: async (ops) => (await steps.round(ops)).toReversed() }),
    noticed: /outcomes: expected/,
  },
  {
    fault: "loses an outcome",
    change: (steps) => ({ round: async (ops) => (await steps.round(ops)).slice(0, -1) }),
    noticed: /outcomes: expected/,
  },
  {
    fault: "rejects when a step fails",
    change: (steps) => ({
      round: async (ops) => {
        const outcomes = await steps.round(ops);
        const failed = outcomes.find((outcome: Outcome) => !outcome.ok);
        if (failed?.ok === false) throw new Error(failed.error.message);
        return outcomes;
      },
    }),
    noticed: /no such thing/,
  },
  {
    fault: "loses the code of an error",
    change: (steps) => ({
      round: async (ops) =>
        (await steps.round(ops)).map((outcome) =>
          outcome.ok ? outcome : { ok: false, error: { name: outcome.error.name, message: outcome.error.message } },
        ),
    }),
    noticed: /first difference at \[1\]\.error\.code/,
  },
  {
    fault: "gives keys of its own",
    change: (steps) => ({
      round: (ops) =>
        steps.round(
          ops.map((op) =>
            op.kind === "step" ? { ...op, run: (step) => op.run({ ...step, key: crypto.randomUUID() }) } : op,
          ),
        ),
    }),
    noticed: /what the steps got/,
  },
  {
    fault: "never says that an attempt was made before",
    change: (steps) => ({
      round: (ops) =>
        steps.round(
          ops.map((op) => (op.kind === "step" ? { ...op, run: (step) => op.run({ ...step, attempt: 1 }) } : op)),
        ),
    }),
    noticed: /the attempts: expected/,
  },
  {
    fault: "hears everything again",
    change: (steps) => ({ steering: { ...steps.steering, take: async () => steps.steering?.take(0) } }),
    noticed: /what was read/,
  },
  {
    fault: "takes messages after its last look",
    change: () => ({ steering: { take: async () => undefined, waits: async () => false } }),
    noticed: /the message was refused/,
  },
  {
    fault: "drops what was not read",
    change: () => ({ steering: { take: async () => undefined, close: async () => [] } }),
    noticed: /what was not read/,
  },
  {
    fault: "forgets its waits' time",
    change: (steps) => ({
      round: (ops) =>
        steps.round(
          ops.map((op) => (op.kind === "wait" ? { ...op, timeoutMs: op.timeoutMs && op.timeoutMs + 1 } : op)),
        ),
    }),
    noticed: /within 31 ms/,
  },
];

describe("an engine that breaks a promise is found out", () => {
  fakeTime("leaps");

  test.each(FAULTS)("when it $fault", async ({ change, noticed }) => {
    const can = { ...EVERYTHING, maxBytes: 100_000 };
    const problems: string[] = [];
    for (const { run } of stepsConformance({ can, open: () => new BrokenEngine(change) })) {
      await run().catch((error: unknown) => problems.push(String(error)));
    }
    expect(problems.join("\n")).toMatch(noticed);
  });
});
