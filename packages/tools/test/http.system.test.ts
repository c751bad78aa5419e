import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import type { ToolContext } from "@pollux/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { webFetch } from "../src/http.ts";
import type { ConversionRequest } from "../src/http/conversion.ts";
import { pdfOf } from "./helpers/pdf.ts";

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

test("a page of 10 MB is read up to the limit, with a note", async () => {
  const page = await fetchPage(`<p>${"word ".repeat(2_000_000)}</p>`, 20_000_000);
  expect(page).toMatchObject({ note: "only the beginning was read: the content exceeds the size limit" });
});

test("a page whose white space takes minutes is read as plain text when its time is up", async () => {
  const page = await fetchPage(`<title>t</title><p>Hello</p><pre>${" ".repeat(900_000)}x</pre>`, 5_000_000);
  expect(page).toEqual({ url: expect.any(String), kind: "html", content: "t Hello x", total_characters: 9 });
});

/** Starts the process that converts documents, which keeps no promise but its own. */
function convert(pdf: Buffer, limits: Partial<ConversionRequest>): ReturnType<typeof spawn> {
  const file = fileURLToPath(new URL("../src/http/convert-child.ts", import.meta.url));
  const stdio = ["ignore", "ignore", "ignore", "ipc"] as const;
  const child = spawn(process.execPath, ["--no-warnings", file], { stdio: [...stdio] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const conversion = { kind: "pdf", base64: pdf.toString("base64") } as const;
  child.send({ conversion, lifeMs: 200_000, maxMemoryBytes: 512_000_000, ...limits } satisfies ConversionRequest);
  return child;
}

describe("the process that converts documents", () => {
  /** To find its objects takes minutes, whatever the machine. */
  const quadratic = Buffer.from(`%PDF-1.7\n${"1 0 obj <<\n".repeat(90_000)}`);

  test.each([{ maxMemoryBytes: 1_000_000 }, { lifeMs: 1_000 }])("ends itself beyond %j", async (limits) => {
    expect(await once(convert(quadratic, limits), "exit")).toEqual([null, "SIGKILL"]);
  });

  test.skipIf(process.platform !== "linux")("never holds what a document decompresses to", async () => {
    const bomb = { bytes: deflateSync(Buffer.alloc(800_000_000, " ")), filter: "/Filter /FlateDecode" };
    const child = convert(pdfOf(bomb), {});
    let megabytes = 0;
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        megabytes = Math.max(megabytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000);
      } catch {
        // It has ended.
      }
    }, 5);
    await once(child, "exit");
    clearInterval(timer);
    expect(megabytes).toBeGreaterThan(10);
    expect(megabytes).toBeLessThan(400);
  });
});
