import { HttpError } from "@pollux/core/serving";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { PRIVATE } from "./http.ts";

/** The built page; the same folder for the sources and the package. */
const FOLDER = fileURLToPath(new URL("../../dist/page", import.meta.url));

/** Builds the page; only exists in a clone of the repository. */
const BUILD = new URL("../../page/build.ts", import.meta.url);

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Lets the page load itself and data that it fetched. No script in a text can run. */
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
  readonly #build: URL | undefined;

  /**
   * @param folder - Another build of the page.
   * @param build - A program that builds the page into the folder that it gets, if there is none.
   */
  constructor(folder: string = FOLDER, build: URL | undefined = folder === FOLDER ? BUILD : undefined) {
    this.#folder = folder;
    this.#build = build;
  }

  /** @param path - Relative to the page, without a leading slash; empty for the page itself. */
  async serve(path: string, request: Request): Promise<Response> {
    this.#files ??= readOrBuild(this.#folder, this.#build);
    let files: ReadonlyMap<string, Asset>;
    try {
      files = await this.#files;
    } catch (error) {
      this.#files = undefined;
      return notBuilt(error);
    }
    // A lookup among known names: no path leads out of the folder.
    const asset = files.get(path === "" ? "index.html" : path);
    if (asset === undefined) throw new HttpError(404, "not_found", "There is nothing here.");
    const headers: { [name: string]: string } = {
      "content-type": asset.type,
      "content-security-policy": POLICY,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      etag: asset.etag,
      vary: "accept-encoding",
      // Names in assets/ have a hash of the content.
      "cache-control": path.startsWith("assets/") ? "private, max-age=31536000, immutable" : "no-cache",
    };
    if (request.headers.get("if-none-match") === asset.etag) return new Response(undefined, { status: 304, headers });
    const isZipped = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
    if (isZipped) headers["content-encoding"] = "gzip";
    return new Response(isZipped ? asset.zipped : asset.bytes, { headers });
  }
}

/** @throws When there is no page, and none can be built. */
async function readOrBuild(folder: string, build: URL | undefined): Promise<ReadonlyMap<string, Asset>> {
  const files = await readFiles(folder);
  if (files.size > 0) return files;
  if (build === undefined || !existsSync(build)) throw new Error("There is no page in this package.");
  process.stderr.write("Building the inspector's page, which takes a few seconds the first time…\n");
  // In a process of its own, since bundlers of this module would include the import.
  await promisify(execFile)(process.execPath, [fileURLToPath(build), folder]).catch((error: unknown) => {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    throw new Error(/^\w*Error.*: .+$/m.exec(stderr)?.[0] ?? String(error), { cause: error });
  });
  process.stderr.write("The inspector's page is built.\n");
  return await readFiles(folder);
}

/** A page that explains how to build the missing one. */
function notBuilt(error: unknown): Response {
  const why = (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
  const escaped = why.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>The page has not been built</title>
<h1>The inspector's page has not been built</h1>
<p>Run these in the clone of Pollux, then reload this page:</p>
<pre>npx pnpm@12.21.0 install\nnode packages/inspector/page/build.ts</pre>
<p>${escaped}</p></html>\n`;
  return new Response(html, { status: 503, headers: { ...PRIVATE, "content-type": "text/html; charset=utf-8" } });
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
