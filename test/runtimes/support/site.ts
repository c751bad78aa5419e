import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A web site on a free port of this machine. Close it with `await using`. */
export interface Site extends AsyncDisposable {
  readonly url: string;
}

/** The site for the tools: a page, and an API of cities. Pages of any origin may use it. */
export async function openSite(): Promise<Site> {
  return await serve((path, method, response) => {
    response.setHeader("access-control-allow-origin", "*").setHeader("access-control-allow-headers", "*");
    if (method === "OPTIONS") return response.writeHead(204).end();
    if (path === "/moved") return response.writeHead(302, { location: "/cities/Oslo" }).end();
    if (path === "/page")
      return response
        .setHeader("content-type", "text/html")
        .end("<title>Page</title><h1>Hello</h1><a href='/x'>A link</a>");
    if (path.startsWith("/cities/"))
      return response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ name: decodeURIComponent(path.slice("/cities/".length)) }));
    return response.writeHead(404).end();
  });
}

/** Files of a bundle, and a page at `/`. */
export async function openPages(html: string, files: ReadonlyMap<string, string>): Promise<Site> {
  return await serve((path, _method, response) => {
    if (path === "/") return response.setHeader("content-type", "text/html").end(html);
    const code = files.get(path.slice(1));
    if (code === undefined) return response.writeHead(404).end();
    return response.setHeader("content-type", "text/javascript").end(code);
  });
}

async function serve(answer: (path: string, method: string, response: ServerResponse) => unknown): Promise<Site> {
  const server = createServer(({ url = "/", method = "GET" }, response) =>
    answer(new URL(url, "http://localhost").pathname, method, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
