import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Headers of the page. Search suggestions come with their own styles. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves the files of the page. Any path without an ending is a place inside the page. */
export async function servePage(folder: string, { pathname }: URL): Promise<Response> {
  const path = normalize(pathname).replaceAll("\\", "/");
  const file = extname(path) === "" ? "index.html" : path;
  const type = TYPES[extname(file)];
  const bytes = type === undefined ? undefined : await readFile(join(folder, file)).catch(() => undefined);
  if (type === undefined || bytes === undefined) return new Response("There is nothing here.", { status: 404 });
  // Vite puts a hash into the names of all that stands in assets.
  const cache = path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  return new Response(new Uint8Array(bytes), {
    headers: {
      "content-type": type,
      "cache-control": cache,
      "content-security-policy": POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}
