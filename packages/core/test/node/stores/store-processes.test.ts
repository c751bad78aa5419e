import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { killWriter, runProgram, temporaryFolder } from "../../helpers/store-process.ts";
import { type Kind, openStore } from "../programs/open-store.ts";

const kinds: readonly Kind[] = ["jsonl", "sqlite"];

describe.each(kinds)("%s store", (kind) => {
  test("keeps whole what was acknowledged before a process was killed", async () => {
    await killWriter(kind, join(temporaryFolder(), "sessions"), 3);
  });

  test("appends of one process need not wait for one another", async () => {
    const path = join(temporaryFolder(), "sessions");
    const store = openStore(kind, path);
    const settled = await Promise.allSettled([
      ...Array.from({ length: 50 }, (_, at) => store.append("shared", at, [at])),
      store.append("shared", 49, ["too late"]),
      store.append("shared", 50, [50]),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([...Array(50).fill("fulfilled"), "rejected", "fulfilled"]);
    expect(await store.load("shared")).toEqual([...Array(51).keys()]);
    if ("close" in store) store.close();
  });

  test("knows whether the process that holds a lease still runs", async () => {
    const path = join(temporaryFolder(), "sessions");
    const holder = runProgram("hold", [kind, path, "stay"]);
    await holder.untilLines(1);
    expect(holder.output).toEqual([{ taken: true }]);
    const store = openStore(kind, path);
    const isGone = async (): Promise<boolean> =>
      store.processes.isGone((await store.records("held")).lease?.process ?? null);
    expect(await isGone()).toBe(false);
    holder.child.kill("SIGKILL");
    await holder.over;
    expect(await isGone()).toBe(true);
    if ("close" in store) store.close();
  });

  test("does not keep a process alive that watches a session", async () => {
    const path = join(temporaryFolder(), "sessions");
    expect(await runProgram("hold", [kind, path, "leave"]).over).toEqual([{ taken: true }]);
  });
});
