import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFile } from "../src/files.ts";
import { type Folders, makeFolders, readWhileSwapped, use, writeWhileSwapped } from "./helpers/swapped-folder.ts";

let folders: Folders;

beforeEach(() => {
  folders = makeFolders();
});

afterEach(() => folders[Symbol.dispose]());

// Elsewhere there is no way to go by an open folder, and the checks can be beaten.
describe.skipIf(process.platform !== "linux")("while a folder on the way is swapped for a link to the outside", () => {
  test("read_file sees nothing of the outside", async () => {
    const tool = readFile({ root: folders.root });
    await readWhileSwapped(tool, { path: "swap/deep/a.txt" }, /"inside"/, 100, folders);
  });

  test("write_file and edit_file change nothing outside", async () => {
    await writeWhileSwapped(50, folders);
  });
});

describe("the root", () => {
  test("may be a link itself, also one that differs in case only: real paths are compared", async () => {
    const { base, root } = folders;
    writeFileSync(join(root, "a.txt"), "inside\n");
    if (!existsSync(join(base, "ROOT"))) symlinkSync(root, join(base, "ROOT"));
    symlinkSync(join(base, "ROOT", "a.txt"), join(root, "inner"));
    for (const given of [root, join(base, "ROOT")])
      expect(await use(readFile({ root: given }), { path: "inner" })).toContain('"text":"inside"');
  });
});
