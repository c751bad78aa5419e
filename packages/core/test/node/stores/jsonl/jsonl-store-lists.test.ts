import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionInfo } from "@pollux/core";
import { JsonlStore } from "@pollux/core/node";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../helpers/store-process.ts";

const INFO: SessionInfo = {
  title: "Red shoes",
  state: "idle",
  createdAt: 1,
  messages: 1,
  turns: 1,
  totalTokens: 1,
  cost: 0,
};

/** Three sessions whose files are a minute old. */
async function filled(): Promise<{ folder: string; store: JsonlStore; titles: () => Promise<unknown> }> {
  const folder = temporaryFolder();
  const store = new JsonlStore(folder);
  for (const id of ["a", "b", "c"]) {
    await store.append(id, 0, [id], { info: INFO });
    age(folder, id);
  }
  const titles = async (): Promise<unknown> =>
    Object.fromEntries((await store.list({ order: "id" })).map(({ id, title, length }) => [id, [title, length]]));
  return { folder, store, titles };
}

/** Makes a session's files look as if they were written at a time, in seconds: a minute ago. */
function age(folder: string, id: string, { at = Math.floor(Date.now() / 1000) - 60 } = {}): void {
  for (const ending of ["jsonl", "state"]) utimesSync(join(folder, `${id}.${ending}`), at, at);
}

/** Changes the title in the file, which looks as it did: only who reads it again finds out. */
function retitleUnseen(folder: string, id: string): void {
  const file = join(folder, `${id}.state`);
  const { atimeMs, mtimeMs } = statSync(file);
  writeFileSync(file, readFileSync(file, "utf8").replace("Red shoes", "Hot shoes"));
  utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
}

describe("a summary", () => {
  test("is read once for as long as the files of its session stay the same", async () => {
    const { folder, titles } = await filled();
    await titles();
    for (const id of ["a", "b", "c"]) retitleUnseen(folder, id);
    expect(await titles()).toEqual({ a: ["Red shoes", 1], b: ["Red shoes", 1], c: ["Red shoes", 1] });
    const all = await new JsonlStore(folder).list();
    expect(all.map(({ title }) => title)).toEqual(["Hot shoes", "Hot shoes", "Hot shoes"]);
  });

  test("is read again after another store has written to the session", async () => {
    const { folder, titles } = await filled();
    await titles();
    const other = new JsonlStore(folder);
    await other.append("b", 1, ["more"], { info: { ...INFO, title: "Blue shoes" } });
    await other.delete("c");
    expect(await titles()).toEqual({ a: ["Red shoes", 1], b: ["Blue shoes", 2] });
    await other.append("c", 0, ["again", "here"]);
    expect(await titles()).toEqual({ a: ["Red shoes", 1], b: ["Blue shoes", 2], c: [undefined, 2] });
  });

  test("is read each time while its files are so new that a change might not show", async () => {
    const { folder, store, titles } = await filled();
    await store.append("b", 1, ["more"], { info: INFO });
    age(folder, "b", { at: Math.floor(Date.now() / 1000) + 3600 });
    await titles();
    retitleUnseen(folder, "b");
    expect(await titles()).toEqual({ a: ["Red shoes", 1], b: ["Hot shoes", 2], c: ["Red shoes", 1] });
  });
});
