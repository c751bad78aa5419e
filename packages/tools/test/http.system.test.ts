import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ToolContext } from "@pollux/core";
import { expect, onTestFinished, test } from "vitest";
import { webFetch } from "../src/http.ts";

/** Fetches a page from a server on 127.0.0.1. */
async function fetchPage(body: string, maxBytes: number): Promise<unknown> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const tool = webFetch({ allowPrivate: true, ports: "any", timeoutMs: 120_000, maxBytes });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  // The tool reads nothing else of the context.
  const context = { signal: new AbortController().signal } as ToolContext;
  return await tool.run(await tool.parse({ url }), context);
}

test("a page of 10 MB is read up to the limit, and that is said", async () => {
  const page = await fetchPage(`<p>${"word ".repeat(2_000_000)}</p>`, 20_000_000);
  expect(page).toMatchObject({ note: "only the beginning was read: the content exceeds the size limit" });
});

test("a page whose white space takes minutes is read as plain text when its time is up", async () => {
  const page = await fetchPage(`<title>t</title><p>Hello</p><pre>${" ".repeat(900_000)}x</pre>`, 5_000_000);
  expect(page).toEqual({ url: expect.any(String), kind: "html", content: "t Hello x", total_characters: 9 });
});
