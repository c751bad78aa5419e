import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { killWriter, runProgram, temporaryFolder } from "../../helpers/store-process.ts";
import { type Kind, openStore } from "../programs/open-store.ts";

const kinds: readonly Kind[] = ["jsonl", "sqlite"];

describe.each(kinds)("%s store, several processes", (kind) => {
  test("appends of two never mix, one wins each place, and none is lost", async () => {
    const path = join(temporaryFolder(), "sessions");
    const programs = ["a", "b"].map((writer) => runProgram("append", [kind, path, "race", writer, "100"]));
    const told = await Promise.all(programs.map(({ over }) => over));
    const store = openStore(kind, path);
    const expected = told
      .flatMap((lines, index) => lines.map(({ at, n }) => ({ at: Number(at), n, writer: "ab"[index] })))
      .toSorted((a, b) => a.at - b.at)
      .flatMap(({ n, writer }) => [
        { writer, n, half: 1 },
        { writer, n, half: 2 },
      ]);
    expect(expected).toHaveLength(400);
    expect(await store.load("shared")).toEqual(expected);
    await store.append("shared", 400, ["after them"]);
    if ("close" in store) store.close();
  });

  test("what was acknowledged before a process was killed is there, and whole", async () => {
    const path = join(temporaryFolder(), "sessions");
    for (let round = 0; round < 6; round++) await killWriter(kind, path, 10 + round, Math.random() * 10);
  });

  test.skipIf(process.platform === "win32")(
    "a full disk is an error that says what to do, and nothing acknowledged is lost",
    async () => {
      const path = join(temporaryFolder(), "sessions");
      const told = await runProgram("append", [kind, path, "forever"], { maxFileKb: 200 }).over;
      const { failed, length } = told.at(-1) ?? {};
      expect(failed).toMatch(
        /^session "shared": its log cannot be written: .*(free some space|check whether it is full)/,
      );
      expect(told.length).toBeGreaterThan(5);
      expect(length).toBe(told.at(-2)?.["length"]);
      // The part of a line that still had room was taken back.
      if (kind === "jsonl") expect(readFileSync(join(path, "shared.jsonl"), "utf8")).toMatch(/\}\n$/);
      const store = openStore(kind, path);
      const entries = await store.load("shared");
      expect(entries.map((entry) => (entry as { at: number }).at)).toEqual([...Array(length).keys()]);
      await store.append("shared", entries.length, ["there is room again"]);
      expect(await store.load("shared", entries.length)).toEqual(["there is room again"]);
      if ("close" in store) store.close();
    },
  );

  test("of the processes that take a lease, one wins, with its entries", async () => {
    const path = join(temporaryFolder(), "sessions");
    const programs = ["a", "b", "c"].map(() => runProgram("hold", [kind, path, "race", "60"]));
    const told = (await Promise.all(programs.map(({ over }) => over))).flat();
    const store = openStore(kind, path);
    for (let n = 0; n < 60; n++) {
      const winners = told.filter(({ taken }) => (taken as number[]).includes(n)).map(({ pid }) => Number(pid));
      expect(winners).toHaveLength(1);
      expect(await store.load(`s${n}`)).toEqual([winners[0], "begins"]);
      expect((await store.records(`s${n}`)).lease?.runId).toBe(`run-${winners[0]}`);
    }
    if ("close" in store) store.close();
  });

  test("several open the same new store at once", async () => {
    const path = join(temporaryFolder(), "sessions");
    const programs = ["a", "b", "c", "d"].map((writer) => runProgram("append", [kind, path, "race", writer, "5"]));
    await Promise.all(programs.map(({ over }) => over));
    const store = openStore(kind, path);
    expect(await store.load("shared")).toHaveLength(40);
    if ("close" in store) store.close();
  });
});
