import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const TYPES: { readonly [mimeType: string]: string } = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "audio/wav": "wav",
};

const NAME = /^[\da-f-]{36}\.(?:png|jpg|webp|wav)$/;

/**
 * Generated pictures and speech, served under the folder's name. Anyone who knows the address of a file can load it.
 */
export class MediaFolder {
  readonly #folder: string;
  readonly #address: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#address = `/${basename(folder)}/`;
  }

  /** @returns Its address on this server. */
  async keep(mimeType: string, bytes: Uint8Array): Promise<string> {
    const ending = TYPES[mimeType];
    if (ending === undefined) throw new Error(`files of type ${mimeType} are not served`);
    const name = `${randomUUID()}.${ending}`;
    await writeFile(join(this.#folder, name), bytes);
    return `${this.#address}${name}`;
  }

  /** The file that is asked for, or a range of it, without which Safari plays nothing; undefined when there is none. */
  async find({ url, headers: asked }: Request): Promise<Response | undefined> {
    const { pathname } = new URL(url);
    const name = pathname.startsWith(this.#address) ? pathname.slice(this.#address.length) : "";
    const [type] = Object.entries(TYPES).find(([, ending]) => name.endsWith(`.${ending}`)) ?? [];
    if (type === undefined || !NAME.test(name)) return undefined;
    const bytes = await readFile(join(this.#folder, name)).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const cache = "private, max-age=31536000, immutable";
    const headers = { "content-type": type, "cache-control": cache, "accept-ranges": "bytes" };
    const [range, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(asked.get("range") ?? "") ?? [];
    const start = Number(from);
    if (range === undefined || start >= bytes.length) return new Response(new Uint8Array(bytes), { headers });
    const end = Math.min(to === "" ? bytes.length : Number(to) + 1, bytes.length);
    const part = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
    return new Response(new Uint8Array(bytes.subarray(start, end)), { status: 206, headers: { ...headers, ...part } });
  }
}
