import { checkSession, type Content, type Json, MemoryStore, repairSession, Agent } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPairing } from "../../src/model/check-pairing.ts";
import { type Log, recordedLogs } from "./recorded-logs.ts";

const logs = await recordedLogs();

const lines = (log: readonly unknown[]) => log.map((value) => ({ value }));

/** Lines of text as they are read from a file. */
function read(texts: readonly string[]) {
  return texts.map((text) => {
    try {
      const value: unknown = JSON.parse(text);
      return { value };
    } catch {
      return { problem: "it is not JSON", text };
    }
  });
}

async function historyOf(log: Log): Promise<readonly Content[]> {
  const store = new MemoryStore();
  await store.append("s", 0, log as unknown as readonly Json[]);
  return await new Agent({ model: new ScriptedModel() }).session({ id: "s", store }).history();
}

describe.each(Object.entries(logs))("the log of %s", (_name, log) => {
  test("is fine as it was written", () => {
    expect(checkSession(lines(log)).problems).toEqual([]);
    expect(repairSession(lines(log))).toEqual({ entries: log, done: [], refused: undefined });
  });

  const texts = log.map((entry) => JSON.stringify(entry));
  const isMended = async (damaged: readonly string[]): Promise<void> => {
    const repair = repairSession(read(damaged));
    if (repair.refused !== undefined) {
      expect(repair.refused.problem).toMatch(/newer version/);
      return;
    }
    expect(checkSession(lines(repair.entries)).problems).toEqual([]);
    const history = await historyOf(repair.entries);
    for (const family of ["gemini-3", "gemini-4"]) checkPairing(history, { family });
    // What a session does next has to work, too.
    const store = new MemoryStore();
    await store.append("s", 0, repair.entries as unknown as readonly Json[]);
    const next = new Agent({ model: new ScriptedModel(() => ({ batches: [[{ text: "On." }]] })) }).session({
      id: "s",
      store,
    });
    await next.state();
    expect((await next.send("Go on.", { unfinished: "cancel" })).text).toBe("On.");
  };

  test("opens and can be sent after a repair, with any line gone", async () => {
    for (const index of texts.keys()) await isMended(texts.toSpliced(index, 1));
  });

  test("opens and can be sent after a repair, with any line unreadable", async () => {
    for (const index of texts.keys()) await isMended(texts.with(index, "\u0000\u0000"));
    for (const index of texts.keys()) await isMended(texts.with(index, texts[index]?.slice(0, -1) ?? ""));
  });

  test("opens and can be sent after a repair, with bytes damaged", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 32, max: 126 })), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const bytes = [...texts.join("\n")];
          for (const [at, code] of changes) bytes[at % bytes.length] = String.fromCharCode(code);
          await isMended(bytes.join("").split("\n"));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("opens and can be sent after a repair, with lines in another order or twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(texts.length - 1), fc.nat(texts.length - 1), fc.boolean(), async (from, to, twice) => {
        const line = texts[from] ?? "";
        await isMended((twice ? texts : texts.toSpliced(from, 1)).toSpliced(to, 0, line));
      }),
      { numRuns: 600 },
    );
  });
});
