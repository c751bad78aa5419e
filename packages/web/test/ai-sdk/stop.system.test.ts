import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../core/test/helpers/store-process.ts";
import { sendsFromBoth, Site } from "./site.ts";

const STORES: { readonly [kind: string]: (folder: string) => SessionStore } = {
  sqlite: (folder) => new SqliteStore(join(folder, "chats")),
  jsonl: (folder) => new JsonlStore(folder),
};

test.each(Object.entries(STORES))("a page is served by two processes on one store (%s)", async (_kind, open) => {
  const folder = temporaryFolder();
  const stores = [open(folder), open(folder)];
  await sendsFromBoth(new Site(7, { stores }), (work) => work);
  // Nothing of who read is left. The lock of the file goes after the file.
  await expect.poll(() => stores[0]?.records("pollux:readers/ann/c")).toEqual({});
  await expect.poll(() => readdirSync(folder).filter((name) => name.includes("readers"))).toEqual([]);
});
