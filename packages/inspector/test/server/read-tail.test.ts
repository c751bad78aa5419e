import { type Json, MemoryStore } from "@pollux/core";
import { call, costs, join, say } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import type { RunRow, SessionOverview } from "../../src/inspection/inspection.ts";
import { mergeOverview } from "../../page/src/source/http-source.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";
import { longLog } from "../support/long-log.ts";

import fc from "fast-check";

/** Counts the entries read from it. */
class CountingStore extends MemoryStore {
  entries = 0;

  override async load(id: string, from?: number): Promise<readonly Json[]> {
    const loaded = await super.load(id, from);
    this.entries += loaded.length;
    return loaded;
  }
}

function pageOf(store: MemoryStore, tail?: number) {
  const handler = inspectorHandler({ store, authorize: () => true }, { tail });
  return async <T>(path: string): Promise<T> => {
    const response = await handler(new Request(`http://localhost/inspector/api/sessions/chat-1${path}`));
    // The answers of the inspector's own API.
    return (await response.json()) as T;
  };
}

/** Turns with their numbers in the session and in the log. */
function namesOf(runs: readonly RunRow[]): readonly string[] {
  return runs.flatMap(({ runId, turns }) =>
    turns.map(({ number, turn, text }) => `${number}: ${turn} of ${runId} ${text}`),
  );
}

describe("the first view of a session of 10,000 turns", () => {
  const ENTRIES = longLog(10_000);
  const INFO = {
    state: "idle",
    createdAt: 1,
    messages: 100,
    turns: 10_000,
    totalTokens: 10_705_000,
    cost: 0,
  } as const;

  async function open() {
    const store = new CountingStore();
    await store.append("chat-1", 0, ENTRIES, { info: { ...INFO, title: "Questions" } });
    return { store, get: pageOf(store) };
  }

  test("reads a few hundred entries, with the current turn, and continues from there", async () => {
    const { store, get } = await open();
    const overview = await get<SessionOverview>("?tail=1");
    const last = overview.runs.at(-1)?.turns.at(-1);
    expect(overview).toMatchObject({
      title: "Questions",
      state: "done",
      createdAt: 1,
      length: ENTRIES.length,
      earlier: { entries: ENTRIES.length - 202, turns: 9900, areTotalsKnown: true },
      usage: { totalTokens: 10_705_000 },
      runs: [{ runId: "run-99", turns: { length: 100 } }],
    });
    expect(last).toMatchObject({ number: 10_000, turn: 100 });
    expect(await get(`/turns/run-99/100`)).toMatchObject({ row: last });
    expect(await get(`?tail=${overview.earlier?.entries}&since=${overview.length}`)).toMatchObject({
      since: overview.length,
    });
    expect(store.entries).toBeLessThan(400);
  });

  test("reads the rest for a turn before that, and then knows all", async () => {
    const { store, get } = await open();
    const overview = await get<SessionOverview>("?tail=1");
    expect(await get("/turns/run-0/3")).toMatchObject({ row: { number: 3 } });
    expect(store.entries).toBeGreaterThan(ENTRIES.length);
    const next = await get<SessionOverview>(`?tail=${overview.earlier?.entries}&since=${overview.length}`);
    expect(next).not.toHaveProperty("since");
    expect(next).not.toHaveProperty("earlier");
    expect(mergeOverview(overview, next).runs).toHaveLength(100);
  });

  test("starts in the middle of a run if there is only one", async () => {
    const store = new CountingStore();
    const [begin, ...rest] = ENTRIES.slice(0, 201);
    const many = Array.from({ length: 5 }, (_, round) => rest.map((entry) => moved(entry, round * 100))).flat();
    const info = { ...INFO, state: "running", turns: 0, totalTokens: 0 } as const;
    await store.append("chat-1", 0, [begin ?? null, ...many], { info });
    const overview = await pageOf(store)<SessionOverview>("?tail=1");
    expect(overview).toMatchObject({
      state: "cut-off",
      problems: [],
      earlier: { turns: 351, areTotalsKnown: false },
      runs: [{ runId: "run-0", isPartial: true, turns: { length: 149 } }],
    });
    expect(overview.runs[0]?.turns[0]).toMatchObject({ number: 352, turn: 352, steps: { length: 2 } });
    expect(store.entries).toBeLessThan(400);
  });
});

/** An entry of a later turn. */
function moved(entry: Json, by: number): Json {
  return JSON.parse(
    JSON.stringify(entry)
      .replaceAll(/"turn":(\d+)/g, (_, turn: string) => `"turn":${Number(turn) + by}`)
      .replaceAll(/(model|call):(\d+)/g, (_, kind: string, turn: string) => `${kind}:${Number(turn) + by}`),
  ) as Json;
}

describe("the end of a log shows the same as the whole log", () => {
  const USED = { promptTokenCount: 100, candidatesTokenCount: 5, totalTokenCount: 105 };
  const adds = join(call("add", { a: 1, b: 2 }), costs(USED));

  test("for any runs, rewinds and cuts, and any start", async () => {
    const message = fc.record({
      calls: fc.integer({ min: 0, max: 3 }),
      ending: fc.constantFrom("", "", "rewind", "cut"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 20 }),
        async (messages, tail) => {
          let store = new MemoryStore();
          const prices = { input: 1_000_000, output: 2_000_000 };
          for (const [index, { calls, ending }] of messages.entries()) {
            const script = [...Array.from({ length: calls }, () => adds), say(`Answer ${index}`)];
            await sessionOf(store, script, { prices }).send(`Question ${index}`);
            const runId = (await foldOf(store)).runs.at(-1)?.runId ?? "";
            if (ending === "cut") store = await withoutEnd(store);
            if (ending === "rewind") await sessionOf(store, [], { prices }).rewind({ before: `${runId}:user` });
          }
          const whole = await pageOf(store)<SessionOverview>("");
          const found = await pageOf(store, tail)<SessionOverview>("?tail=1");
          const names = namesOf(whole.runs);
          const shown = namesOf(found.runs);
          expect(shown).toEqual(names.slice(names.length - shown.length));
          expect(shown.length + (found.earlier?.turns ?? 0)).toBe(names.length);
          // No list has the usage of a cut-off run.
          if (!messages.some(({ ending }) => ending === "cut")) {
            expect(found.usage.totalTokens).toBe(whole.usage.totalTokens);
            expect(found.cost ?? 0).toBeCloseTo(whole.cost ?? 0, 6);
          }
          const { title, state, createdAt, length, pending, queued, problems } = whole;
          expect(found).toMatchObject({ title, state, createdAt, length, pending, queued, problems });
        },
      ),
      { numRuns: 60, seed: 36 },
    );
  });
});

/** The log of a process that died before the last run ended. */
async function withoutEnd(store: MemoryStore): Promise<MemoryStore> {
  const cut = new MemoryStore();
  await cut.append("chat-1", 0, (await store.load("chat-1")).slice(0, -1));
  return cut;
}
