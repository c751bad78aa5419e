import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const TYPES: { readonly [mimeType: string]: string } = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
};

const NAME = /^[\da-f-]{36}\.(?:png|jpg|webp)$/;

/** The pictures that were drawn. Whoever knows the address of one may see it. */
export class PictureFolder {
  readonly #folder: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  /** @returns Its address on this server. */
  async keep(mimeType: string, bytes: Uint8Array): Promise<string> {
    const name = `${randomUUID()}.${TYPES[mimeType] ?? "png"}`;
    await writeFile(join(this.#folder, name), bytes);
    return `/pictures/${name}`;
  }

  /** The picture at an address; undefined when there is none. */
  async find(pathname: string): Promise<Response | undefined> {
    const name = pathname.startsWith("/pictures/") ? pathname.slice("/pictures/".length) : "";
    const [type] = Object.entries(TYPES).find(([, ending]) => name.endsWith(`.${ending}`)) ?? [];
    if (type === undefined || !NAME.test(name)) return undefined;
    const bytes = await readFile(join(this.#folder, name)).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const headers = { "content-type": type, "cache-control": "private, max-age=31536000, immutable" };
    return new Response(new Uint8Array(bytes), { headers });
  }
}
