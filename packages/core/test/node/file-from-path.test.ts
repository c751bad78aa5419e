import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GeminiClient } from "@pollux/core/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileFromPath } from "../../src/node/file-from-path.ts";
import { fileService } from "../helpers/file-service.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-file-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test.each([
  ["by its first bytes", "a.txt", "%PDF-1.4", "application/pdf"],
  ["by its extension", "a b.csv", "one,two", "text/csv"],
  ["as nothing when neither tells", "README", "words", ""],
])("a file is known %s", async (_how, name, content, type) => {
  const path = join(folder, name);
  await writeFile(path, content);
  for (const place of [path, pathToFileURL(path)]) {
    const file = await fileFromPath(place);
    expect([file.name, file.type, file.size, await file.text()]).toEqual([name, type, content.length, content]);
    expect(file.lastModified).toBe(Math.round((await stat(path)).mtimeMs));
  }
});

test("a media type that is given counts", async () => {
  const path = join(folder, "b.txt");
  await writeFile(path, "x");
  expect((await fileFromPath(path, { mimeType: "text/html" })).type).toBe("text/html");
});

test("a path without a file is Node's own error", async () => {
  await expect(fileFromPath(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a large file is not read as a whole", async () => {
  const path = join(folder, "large.mp4");
  const handle = await open(path, "w");
  await handle.truncate(1024 ** 3);
  await handle.write("end", 1024 ** 3 - 3);
  await handle.close();
  const before = process.memoryUsage().rss;
  const file = await fileFromPath(path);
  expect(file.size).toBe(1024 ** 3);
  expect(await file.slice(-3).text()).toBe("end");
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2);
});

test("goes up as it is", async () => {
  await using service = await fileService();
  const path = join(folder, "c.md");
  await writeFile(path, "# Title");
  const client = new GeminiClient({ endpoint: service.endpoint });
  expect(await client.files.upload(await fileFromPath(path))).toMatchObject({
    displayName: "c.md",
    mimeType: "text/markdown",
    sizeBytes: "7",
  });
  expect(Buffer.from(service.uploaded).toString()).toBe("# Title");
});
