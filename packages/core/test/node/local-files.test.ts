import { files } from "@pollux/core/resources";
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OutputAudio } from "../../src/loop/output-audio.ts";
import { OutputImage } from "../../src/loop/result.ts";
import { fileFromPath, saveAudio, saveImages } from "../../src/node/local-files.ts";
import { fileService } from "../helpers/file-service.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-files-"));
});
afterEach(async () => {
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
  expect(await files({ endpoint: service.endpoint }).upload(await fileFromPath(path))).toMatchObject({
    displayName: "c.md",
    mimeType: "text/markdown",
    sizeBytes: "7",
  });
  expect(Buffer.from(service.uploaded).toString()).toBe("# Title");
});

test("images are written in order, with the extension of their kind", async () => {
  const target = join(folder, "new", "deep");
  const paths = await saveImages(
    [
      new OutputImage({ mimeType: "image/png", data: "aGk=" }),
      { mimeType: "image/jpeg", bytes: new Uint8Array([1, 2]) },
      { mimeType: "image/webp", data: "-_-_" },
    ],
    target,
  );
  expect(paths).toEqual(["image-1.png", "image-2.jpg", "image-3.webp"].map((name) => join(target, name)));
  expect(await Promise.all(paths.map(async (path) => [...(await readFile(path))]))).toEqual([
    [104, 105],
    [1, 2],
    [251, 255, 191],
  ]);
});

test("sounds are written with a header, or as they came", async () => {
  const paths = await saveAudio(
    [
      new OutputAudio({ mimeType: "audio/L16;codec=pcm;rate=24000", pieces: ["AQA=", "AgA="] }),
      { mimeType: "audio/mp3", pieces: ["SUQz"] },
    ],
    folder,
  );
  expect(paths).toEqual([join(folder, "sound-1.wav"), join(folder, "sound-2.mp3")]);
  const [wav, mp3] = await Promise.all(paths.map(async (path) => await readFile(path)));
  expect([wav?.subarray(0, 4).toString(), wav?.length, [...(wav?.subarray(44) ?? [])]]).toEqual([
    "RIFF",
    48,
    [1, 0, 2, 0],
  ]);
  expect(mp3?.toString()).toBe("ID3");
  const [next] = await saveAudio([{ mimeType: "audio/L16", pieces: ["AQA="] }], folder, { name: "sound" });
  expect(next).toBe(join(folder, "sound-2.wav"));
});

test("nothing that is there is overwritten", async () => {
  await writeFile(join(folder, "cat-2.png"), "mine");
  const image = { mimeType: "image/png", data: "aGk=" };
  const first = await saveImages([image, image], folder, { name: "cat" });
  const second = await saveImages([image], folder, { name: "cat" });
  expect([...first, ...second]).toEqual(["cat-1.png", "cat-3.png", "cat-4.png"].map((name) => join(folder, name)));
  expect(await readFile(join(folder, "cat-2.png"), "utf8")).toBe("mine");
});

test.each(["../cat", "a/b", "", ".hidden", "a\\b", "x\0"])("a name like %j is refused", async (name) => {
  await expect(saveImages([{ mimeType: "image/png", data: "aGk=" }], folder, { name })).rejects.toThrow(TypeError);
  expect(await readdir(folder)).toEqual([]);
});

test("an image without bytes is an error, and none is written", async () => {
  const images = [{ mimeType: "image/png", data: "aGk=" }, { mimeType: "image/png" }];
  await expect(saveImages(images, folder)).rejects.toThrow("image 2 has no bytes");
  expect(await readdir(folder)).toEqual([]);
});

test("no images make no files", async () => {
  expect(await saveImages([], folder)).toEqual([]);
});
