import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { say } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { type OpenedPath, openPath } from "../../src/server/open-path.ts";
import { testFolder } from "../support/page-folder.ts";
import { sessionOf } from "../support/sessions.ts";

async function overviewOf({ store, exchanges }: OpenedPath, id: string): Promise<any> {
  const handler = inspectorHandler({ store, exchanges, authorize: () => true });
  return (await handler(new Request(`http://localhost/inspector/api/sessions/${encodeURIComponent(id)}`))).json();
}

describe("opens", () => {
  test("a folder of sessions, and a single one of its files", async () => {
    const folder = await testFolder();
    const store = new JsonlStore(folder);
    for (const id of ["one", "Two"]) await sessionOf(store, [say("Hi")], { id }).send(`Hello ${id}`);
    await using all = await openPath(folder);
    expect((await all.store.list({ order: "id" })).map(({ id }) => id)).toEqual(["Two", "one"]);
    await using single = await openPath(join(folder, "+two.jsonl"));
    expect((await single.store.list()).map(({ id }) => id)).toEqual(["Two"]);
    expect(await single.store.load("one")).toEqual([]);
    expect(await overviewOf(single, "Two")).toMatchObject({ title: "Hello Two", runs: [{}] });
    await sessionOf(store, [say("Again")], { id: "Two" }).send("More");
    expect(await overviewOf(single, "Two")).toMatchObject({ runs: [{}, {}] });
  });

  test("a single session, and the forks that are made of it", async () => {
    const folder = await testFolder();
    const store = new JsonlStore(folder);
    await sessionOf(store, [say("Hi")], { id: "one" }).send("Hello");
    await sessionOf(store, [say("Hi")], { id: "one-more" }).send("Hello");
    await using opened = await openPath(join(folder, "one.jsonl"));
    await opened.store.append("one-fork-1", 0, await opened.store.load("one"));
    expect((await opened.store.list({ order: "id" })).map(({ id }) => id)).toEqual(["one", "one-fork-1"]);
    expect(await opened.store.load("one-fork-1")).toHaveLength(3);
    expect(await opened.store.load("one-more")).toEqual([]);
  });

  test("an SQLite file", async () => {
    const file = join(await testFolder(), "chats.db");
    using store = new SqliteStore(file);
    await sessionOf(store, [say("Hi")], { id: "one" }).send("Hello");
    await using opened = await openPath(file);
    expect(opened.title).toBe(file);
    expect(await overviewOf(opened, "one")).toMatchObject({ title: "Hello", state: "done" });
  });

  test("a copy of a session's file under another name", async () => {
    const folder = await testFolder();
    await sessionOf(new JsonlStore(folder), [say("Hi")], { id: "one" }).send("Hello");
    await copyFile(join(folder, "one.jsonl"), join(folder, "one.jsonl.bak"));
    await using opened = await openPath(join(folder, "one.jsonl.bak"));
    expect(await opened.store.list()).toMatchObject([{ title: "Hello", turns: 1, state: "idle" }]);
    await expect(opened.store.append("one", 0, [])).rejects.toThrow("it is read-only");
  });

  test("recordings in subfolders, with their exchanges", async () => {
    const folder = await testFolder();
    const user = { role: "user", parts: [{ text: "Hello" }] };
    const responseBody = '{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}';
    const exchange = {
      method: "POST",
      path: "/v1beta/models/m:generateContent",
      model: "m",
      request: { contents: [user] },
      status: 200,
      responseBody,
    };
    await mkdir(join(folder, "chats"));
    await writeFile(join(folder, "chats", "one.json"), JSON.stringify({ exchanges: [exchange] }));
    await writeFile(join(folder, "package.json"), "{}");
    await using opened = await openPath(folder);
    expect(await opened.store.list()).toMatchObject([
      { id: "chats/one.json", title: "Hello", turns: 1, state: "idle" },
    ]);
    expect(await overviewOf(opened, "chats/one.json")).toMatchObject({
      exchanges: 1,
      state: "done",
      runs: [{ turns: [{ text: "Hi" }] }],
    });
  });
});

describe("a damaged log is shown as far as its lines are readable", () => {
  test("of a folder, and of a single file", async () => {
    const folder = await testFolder();
    const file = join(folder, "one.jsonl");
    await sessionOf(new JsonlStore(folder), [say("Hi")], { id: "one" }).send("Hello");
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    await writeFile(file, `${[lines[0], "{broken", ...lines.slice(1)].join("\n")}\n`);
    for (const path of [folder, file]) {
      await using opened = await openPath(path);
      expect(await overviewOf(opened, "one")).toMatchObject({
        problems: [{ position: 1, problem: expect.stringContaining("it is not JSON") }],
        runs: [{ stopReason: "finished", turns: [{ text: "Hi" }] }],
      });
    }
  });

  const deep = `{"v":3,"at":1,"type":"info","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;

  test.each([
    ["is no JSON", "{broken"],
    ["nests 100,000 levels", deep],
  ])("and is read on when more is written after a line that %s", async (_, line) => {
    const folder = await testFolder();
    const file = join(folder, "one.jsonl");
    await sessionOf(new JsonlStore(folder), [say("Hi")], { id: "one" }).send("Hello");
    await appendFile(file, `${line}\n`);
    await using opened = await openPath(folder);
    const handler = inspectorHandler({ store: opened.store, authorize: () => true });
    const get = async (): Promise<any> =>
      (await handler(new Request("http://localhost/inspector/api/sessions/one"))).json();
    const { length } = await get();
    for (const what of ["log", "check", "take-page", "take-file"])
      expect((await handler(new Request(`http://localhost/inspector/api/sessions/one/${what}`))).status).not.toBe(500);
    await appendFile(file, '{"v":3,"at":1,"type":"info","title":"New"}\n');
    expect(await get()).toMatchObject({ length: length + 1, title: "New", problems: [{ position: length - 1 }] });
  });
});
