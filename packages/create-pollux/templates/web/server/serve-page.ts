import type { RequestListener, Server } from "node:http";
import sirv from "sirv";

/** Whatever a model writes, the page loads nothing from other servers: an address could tell them of the chat. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADER = "content-security-policy";

/** The page as `vite build` wrote it; or from its sources, compiled when asked for, and reloaded when they change. */
export async function servePage(server: Server, isBuilt: boolean): Promise<RequestListener> {
  if (isBuilt) return sirv("dist", { single: true, setHeaders: (page) => page.setHeader(HEADER, POLICY) });
  const { createServer } = await import("vite");
  const options = { middlewareMode: true, hmr: { server }, headers: { [HEADER]: POLICY } } as const;
  return (await createServer({ server: options })).middlewares;
}
