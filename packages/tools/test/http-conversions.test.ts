import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { ToolContext } from "@pollux/core";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../../core/test/helpers/until.ts";
import { webFetch } from "../src/http.ts";
import { countProcesses } from "./helpers/count-processes.ts";

const never = new AbortController().signal;

/** Its white space takes minutes, whatever the machine. */
const endless = `<title>t</title><p>Hello</p><pre>${" ".repeat(900_000)}x</pre>`;

/** A server whose every page is this one; says how many were sent to their end. */
async function serve(page: string): Promise<{ url: string; served: () => number }> {
  let served = 0;
  const server = createServer((_request, response) => {
    response.on("close", () => served++);
    response.writeHead(200, { "content-type": "text/html" }).end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, served: () => served };
}

const LOCAL = { allowPrivate: true, ports: "any", timeoutMs: 60_000 } as const;

async function fetchPage(tool: ReturnType<typeof webFetch>, url: string, signal: AbortSignal): Promise<unknown> {
  // The tool reads nothing else of the context.
  return await tool.run(await tool.parse({ url }), { signal } as ToolContext);
}

test("of 20 parallel fetches, also by several tools, no more are converted at once than the limit", async () => {
  const { url, served } = await serve(endless);
  const processes = countProcesses();
  const tools = [webFetch({ ...LOCAL, maxConversions: 2 }), webFetch({ ...LOCAL, maxConversions: 2 })] as const;
  const reason = new Error("stop");
  const fetches = Array.from({ length: 20 }, (_, index) => {
    const controller = new AbortController();
    const page = fetchPage(tools[index % 2 === 0 ? 0 : 1], url, controller.signal);
    return { stop: () => controller.abort(reason), ended: page.catch((error: unknown) => error) };
  });
  await until(() => served() === 20 && processes.started >= 2);
  for (let count = 0; count < 100; count++) await turn();
  expect(processes).toMatchObject({ started: 2, most: 2 });
  for (const { stop } of fetches) stop();
  expect(await Promise.all(fetches.map(async ({ ended }) => await ended))).toEqual(fetches.map(() => reason));
  for (let count = 0; count < 100; count++) await turn();
  expect(processes).toMatchObject({ started: 2, most: 2 });
});

test("a page that waited for its turn is converted like any other", async () => {
  const { url } = await serve("<p>Hello</p>");
  const processes = countProcesses();
  const tool = webFetch({ ...LOCAL, maxConversions: 1 });
  const pages = await Promise.all([1, 2].map(async () => await fetchPage(tool, url, never)));
  expect(pages).toEqual([expect.objectContaining({ content: "Hello" }), expect.objectContaining({ content: "Hello" })]);
  expect(processes).toMatchObject({ started: 2, most: 1 });
});

test.each([0, 1.5, Number.NaN])("%s conversions at once are refused", (maxConversions) => {
  expect(() => webFetch({ maxConversions })).toThrow(
    new TypeError(`maxConversions must be an integer of at least 1, got ${maxConversions}`),
  );
});
