import { openAsBlob } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { detectMimeType, findExtension, guessMimeType } from "../internal/mime-type.ts";
import { OutputAudio } from "../loop/output-audio.ts";

/**
 * A local file as a web `File`, for `files().upload()` and `media`. Its bytes are read on demand and not kept, so its size does not
 * matter.
 *
 * @param path - The file must not change while it is in use: reading it then fails.
 * @param options - `mimeType`: detected from the first bytes by default, else from the extension, else empty.
 * @throws {Error} Node's own, such as `ENOENT`, when the file cannot be read.
 */
export async function fileFromPath(
  path: string | URL,
  options: { readonly mimeType?: string | undefined } = {},
): Promise<File> {
  const { mtimeMs } = await stat(path); // throws ENOENT, where openAsBlob's error has no code
  const blob = await openAsBlob(path);
  const name = basename(path instanceof URL ? fileURLToPath(path) : path);
  const head = new Uint8Array(await blob.slice(0, 64).arrayBuffer());
  const type = options.mimeType ?? detectMimeType(head) ?? guessMimeType(name) ?? "";
  return new File([blob], name, { type, lastModified: Math.round(mtimeMs) });
}

/** A file of a run's result, as bytes or base64. */
export interface ImageToSave {
  /** Determines the extension, such as `.png` for `image/png`. */
  readonly mimeType: string;
  readonly bytes?: Uint8Array | undefined;
  /** Base64, used when there are no `bytes`. */
  readonly data?: string | undefined;
}

/** Options of {@link saveImages}. */
export interface SaveImagesOptions {
  /** File name before the number: letters, digits, dots, dashes and underscores. @defaultValue "image" */
  readonly name?: string | undefined;
}

/**
 * Writes images into a folder, as `image-1.png`, `image-2.jpg` and so on, and returns their paths. Never overwrites: numbers in
 * use are skipped.
 *
 * @param folder - Created if it does not exist.
 * @throws {TypeError} When the name could lead out of the folder, or an image has no bytes.
 */
export async function saveImages(
  images: readonly ImageToSave[],
  folder: string,
  options: SaveImagesOptions = {},
): Promise<readonly string[]> {
  const name = options.name ?? "image";
  if (!/^[\w-][\w.-]{0,99}$/.test(name))
    throw new TypeError(`The name ${JSON.stringify(name)} must be a plain file name without its extension`);
  const files = images.map(({ mimeType, data = "", bytes = Buffer.from(data, "base64") }, index) => {
    if (bytes.byteLength === 0) throw new TypeError(`${mimeType.split("/", 1).join("")} ${index + 1} has no bytes`);
    return { extension: findExtension(mimeType), bytes };
  });
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  let number = 0;
  for (const { extension, bytes } of files) {
    let path: string;
    do path = join(folder, `${name}-${++number}.${extension}`);
    while (!(await writeNew(path, bytes)));
    paths.push(path);
  }
  return paths;
}

/** Writes sounds in the same way, as `sound-1.wav` and so on; also sounds from the report of a run on an engine. */
export async function saveAudio(
  audio: readonly Pick<OutputAudio, "mimeType" | "pieces">[],
  folder: string,
  options: SaveImagesOptions = {},
): Promise<readonly string[]> {
  const files = audio.map((one) => {
    const sound = new OutputAudio(one);
    return { mimeType: sound.rate === undefined ? sound.mimeType : "audio/wav", bytes: sound.toWav() };
  });
  return await saveImages(files, folder, { name: "sound", ...options });
}

/** False when the name is in use. */
async function writeNew(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await writeFile(path, bytes, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
