import type { Tool } from "@pollux/core";
import { afterEach, beforeEach, describe, test } from "vitest";
import { fileStats, listFiles, readFile, searchFiles } from "../src/files.ts";
import { type Folders, makeFolders, readWhileSwapped, writeWhileSwapped } from "./helpers/swapped-folder.ts";

let folders: Folders;
let root: string;

beforeEach(() => {
  folders = makeFolders();
  root = folders.root;
});

afterEach(() => folders[Symbol.dispose]());

// Elsewhere there is no way to go by an open folder, and the checks can be beaten.
describe.skipIf(process.platform !== "linux")("while a folder on the way is swapped for a link to the outside", () => {
  test.each<[string, () => Tool, object, RegExp]>([
    ["read_file", () => readFile({ root }), { path: "swap/deep/a.txt" }, /"inside"/],
    ["file_stats", () => fileStats({ root }), { path: "swap/deep/a.txt" }, /"bytes":7/],
    ["list_files", () => listFiles({ root }), { path: "swap/deep" }, /a\.txt/],
    ["list_files, recursive", () => listFiles({ root }), { recursive: true }, /a\.txt/],
    ["search_files", () => searchFiles({ root }), { path: "swap", pattern: "." }, /"inside"/],
  ])("%s sees nothing of the outside", async (_name, make, args, good) => {
    await readWhileSwapped(make(), args, good, 3_000, folders);
  });

  test("write_file and edit_file change nothing outside", async () => {
    await writeWhileSwapped(1_500, folders);
  });
});
