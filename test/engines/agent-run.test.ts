import { readFile } from "node:fs/promises";
import { AgentRun } from "@pollux/engine";
import { DbosRun } from "@pollux/dbos";
import { RestateRun } from "@pollux/restate";
import { describe, expect, expectTypeOf, test } from "vitest";

// The tests of core and of the packages cover each method.
describe.each([
  // Reading its state needs a running worker.
  ["Restate", RestateRun, ["openQuestions"]],
  ["DBOS", DbosRun, []],
] as const)("a handle on a run on %s", (_, Run, more) => {
  test("is the one that all engines share", () => {
    expect(Object.getPrototypeOf(Run)).toBe(AgentRun);
  });

  test("adds what the engine does in its own way, and changes nothing else", () => {
    const own = ["cancel", "constructor", "events", "other", "requestCancel", "result"];
    expect(Object.getOwnPropertyNames(Run.prototype).toSorted()).toEqual(
      [...own, "sendAnswer", "sendSteering", "state", ...more].toSorted(),
    );
  });
});

test("both handles take the same arguments", () => {
  // The others are inherited.
  type Arguments<Run extends AgentRun> = Parameters<
    Run["result"] | Run["state"] | Run["cancel"] | Run["requestCancel"]
  >;
  expectTypeOf<Arguments<RestateRun>>().toEqualTypeOf<Arguments<AgentRun>>();
  expectTypeOf<Arguments<DbosRun>>().toEqualTypeOf<Arguments<AgentRun>>();
});

test("both packages describe the same methods", async () => {
  const [restate, dbos] = await Promise.all(["restate", "dbos"].map(methodsIn));
  expect(restate).toHaveLength(9);
  expect(restate).toEqual(dbos);
});

async function methodsIn(name: string): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../packages/${name}/README.md`, import.meta.url), "utf8");
  const table = text.slice(text.indexOf("| method")).split("\n\n", 1)[0] ?? "";
  return table.split("\n").slice(2);
}
