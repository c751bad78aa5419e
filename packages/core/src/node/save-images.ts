import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findExtension } from "../internal/mime-type.ts";

/** An image as a run's result has it: with its bytes, or with base64. */
export interface ImageToSave {
  /** Chooses the extension, such as `.png` for `image/png`. */
  readonly mimeType: string;
  readonly bytes?: Uint8Array | undefined;
  /** Base64, used when there are no `bytes`. */
  readonly data?: string | undefined;
}

/** Options of {@link saveImages}. */
export interface SaveImagesOptions {
  /** What the files are called before their number; letters, digits, dots, dashes and underscores. @defaultValue "image" */
  readonly name?: string | undefined;
}

/**
 * Writes images into a folder, as `image-1.png`, `image-2.jpg` and so on, and gives their paths. A number that is taken
 * is passed over, so nothing that is there is ever overwritten.
 *
 * @param folder - Made when it is not there.
 * @throws {TypeError} When the name could lead out of the folder, or an image has no bytes.
 */
export async function saveImages(
  images: readonly ImageToSave[],
  folder: string,
  options: SaveImagesOptions = {},
): Promise<readonly string[]> {
  const name = options.name ?? "image";
  if (!/^[\w-][\w.-]{0,99}$/.test(name))
    throw new TypeError(
      `saveImages(): the name ${JSON.stringify(name)} must be a plain file name without its extension`,
    );
  const contents = images.map(bytesOf);
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  let number = 0;
  for (const [index, image] of images.entries()) {
    const extension = findExtension(image.mimeType);
    let path: string;
    do path = join(folder, `${name}-${++number}.${extension}`);
    while (!(await writeNew(path, contents[index] ?? new Uint8Array())));
    paths.push(path);
  }
  return paths;
}

function bytesOf({ bytes, data }: ImageToSave, index: number): Uint8Array {
  const found = bytes ?? Buffer.from(data ?? "", "base64");
  if (found.byteLength === 0) throw new TypeError(`saveImages(): image ${index + 1} has no bytes`);
  return found;
}

/** False when there is something of that name. */
async function writeNew(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await writeFile(path, bytes, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
