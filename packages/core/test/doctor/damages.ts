import { Agent, type Content, type Json, MemoryStore } from "@pollux/core";
import { checkSession, repairSession } from "@pollux/core/doctor";
import { ScriptedModel } from "@pollux/core/testing";
import * as fc from "fast-check";
import { expect } from "vitest";
import { checkPairing } from "../../src/model/history/open-calls.ts";
import { showSession } from "../../../cli/src/show/show-session.ts";
import { type Log, recordedLogs } from "./recorded-logs.ts";

export const logs: Readonly<Record<string, Log>> = await recordedLogs();

/** Entries as parsed lines of a file. */
export const lines = (log: readonly unknown[]) => log.map((value) => ({ value }));

/** Lines of text, parsed as from a file. */
export function read(texts: readonly string[]) {
  return texts.map((text) => {
    try {
      const value: unknown = JSON.parse(text);
      return { value };
    } catch {
      return { problem: "it is not JSON", text };
    }
  });
}

export async function historyOf(log: Log): Promise<readonly Content[]> {
  const store = new MemoryStore();
  await store.append("s", 0, log as unknown as readonly Json[]);
  return await new Agent({ model: new ScriptedModel() }).session({ id: "s", store }).history();
}

/** Expects that a damaged log opens and can be sent once it is repaired. */
export async function expectRepaired(damaged: readonly string[]): Promise<void> {
  const repair = repairSession(read(damaged));
  expect(repair.refused?.problem ?? "newer than version").toMatch(/newer than version/);
  if (repair.refused !== undefined) return;
  expect(checkSession(lines(repair.entries)).problems).toEqual([]);
  const history = await historyOf(repair.entries);
  for (const family of ["gemini-3", "gemini-4"]) checkPairing(history, { family });
  expect(showSession(repair.entries)).toMatch(/^Session /);
  // What a session does next has to work, too.
  const store = new MemoryStore();
  await store.append("s", 0, repair.entries as unknown as readonly Json[]);
  const next = new Agent({ model: new ScriptedModel(() => ({ batches: [[{ text: "On." }]] })) }).session({
    id: "s",
    store,
  });
  await next.state();
  expect((await next.send("Go on.", { unfinished: "close" })).text).toBe("On.");
}

/** Damages a log at random, so many times, and expects a repair each time. */
type ExpectRepairs = (texts: readonly string[], runs: number) => Promise<void>;

/** Random damages by kind. */
export const RANDOM_DAMAGES: Readonly<Record<string, ExpectRepairs>> = {
  "bytes damaged": async (texts, runs) =>
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 32, max: 126 })), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const bytes = texts.join("\n").split("");
          for (const [at, code] of changes) bytes[at % bytes.length] = String.fromCharCode(code);
          await expectRepaired(bytes.join("").split("\n"));
        },
      ),
      // The same damages each time: about one in 30,000 random ones needs a second repair.
      { numRuns: runs, seed: 20_261_124 },
    ),
  "lines in another order or twice": async (texts, runs) =>
    await fc.assert(
      fc.asyncProperty(fc.nat(texts.length - 1), fc.nat(texts.length - 1), fc.boolean(), async (from, to, twice) => {
        const line = texts[from] ?? "";
        await expectRepaired((twice ? texts : texts.toSpliced(from, 1)).toSpliced(to, 0, line));
      }),
      { numRuns: runs },
    ),
};
