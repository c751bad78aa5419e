import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OutputImage } from "../../src/loop/result.ts";
import { saveImages } from "../../src/node/save-images.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-images-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
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
