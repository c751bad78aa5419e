import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { HttpError } from "./http.ts";

/** Where the page was built to; the same for the sources and for the package. */
const FOLDER = fileURLToPath(new URL("../../dist/page", import.meta.url));

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** What the page may load: itself, and what it has made of the data that it fetched. No script in any text can run. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** A file of the page. */
interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly type: string;
}

/** The files of the page, by their path below it; read once. */
export class Assets {
  #files: Promise<ReadonlyMap<string, Asset>> | undefined;
  readonly #folder: string;

  /** @param folder - Another build of the page. */
  constructor(folder: string = FOLDER) {
    this.#folder = folder;
  }

  /** @param path - Below the page, without a slash at its beginning; empty for the page itself. */
  async serve(path: string, request: Request): Promise<Response> {
    this.#files ??= readFiles(this.#folder);
    const files = await this.#files;
    if (files.size === 0) {
      this.#files = undefined;
      throw new HttpError(
        503,
        "not-built",
        "The page has not been built: run `node packages/inspector/page/build.ts`.",
      );
    }
    // A lookup among known names: no path leads out of the folder.
    const asset = files.get(path === "" ? "index.html" : path);
    if (asset === undefined) throw new HttpError(404, "not-found", "There is nothing here.");
    const headers: { [name: string]: string } = {
      "content-type": asset.type,
      "content-security-policy": POLICY,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      etag: asset.etag,
      vary: "accept-encoding",
      // The names of all other files have a hash of what is in them.
      "cache-control": path.startsWith("assets/") ? "private, max-age=31536000, immutable" : "no-cache",
    };
    if (request.headers.get("if-none-match") === asset.etag) return new Response(undefined, { status: 304, headers });
    const isZipped = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
    if (isZipped) headers["content-encoding"] = "gzip";
    return new Response(isZipped ? asset.zipped : asset.bytes, { headers });
  }
}

async function readFiles(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const known = names.filter((name) => TYPES[extname(name)] !== undefined);
  const files = await Promise.all(
    known.map(async (name): Promise<[string, Asset]> => {
      const bytes = new Uint8Array(await readFile(join(folder, name)));
      const zipped = new Uint8Array(await promisify(gzip)(bytes));
      const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
      return [name.replaceAll(sep, "/"), { bytes, zipped, etag, type: TYPES[extname(name)] ?? "" }];
    }),
  );
  return new Map(files);
}
