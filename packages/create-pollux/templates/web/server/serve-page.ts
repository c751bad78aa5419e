import { createReadStream, existsSync } from "node:fs";
import type { RequestListener, Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The page from its sources: Vite compiles it as it is asked for, and reloads it when a file changes. */
export async function serveSources(server: Server): Promise<RequestListener> {
  const { createServer } = await import("vite");
  const vite = await createServer({ root, appType: "spa", server: { middlewareMode: true, hmr: { server } } });
  return vite.middlewares;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The page loads nothing from other servers, whatever a model writes into it: an address could tell them what the chat is about. */
const POLICY = [
  "default-src 'self'",
  // Search suggestions of Google come with styles of their own.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join("; ");

/** The page as `vite build` wrote it. Any path without an ending is a place in the page. */
export function serveBuilt(): RequestListener {
  const folder = join(root, "dist");
  if (!existsSync(join(folder, "index.html"))) {
    console.error("The page is not compiled yet. First: npm run build");
    process.exit(1);
  }
  return (request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const name = extname(path) === "" ? "index.html" : normalize(path);
    const type = TYPES[extname(name)];
    const refuse = (): void => void response.writeHead(404).end("Not found");
    if (type === undefined) return refuse();
    createReadStream(join(folder, name))
      .on("open", () =>
        response.writeHead(200, {
          "content-type": type,
          "content-security-policy": POLICY,
          "referrer-policy": "no-referrer",
        }),
      )
      .on("error", refuse)
      .pipe(response);
  };
}
