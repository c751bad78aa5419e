import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { folder, PRINTS, withoutKeys } from "../examples/run-example.ts";
import { CeilingReached } from "./budget.ts";
import type { Target } from "./targets.ts";

/** Time limit for one run of an example, in milliseconds. */
const PATIENCE_MS = 240_000;

/** Output of examples without a service, or when the emulator fails on purpose. */
const OF_EMULATOR = /No API key|no model wrote this|retry: 503/;

/** Examples of the gateway, and of features that Vertex lacks: files, decisions, searches among the parts. */
const OF_GATEWAY = /^(?:13|18)-/;
const NOT_ON_VERTEX = /^(?:15|25)-|^quickstart/;

/** The examples for this service; without a key, the gateway's examples use the emulator. */
export function examplesFor({ name }: Pick<Target, "name">): readonly string[] {
  return Object.keys(PRINTS)
    .filter((file) => OF_GATEWAY.test(file) === (name === "comet"))
    .filter((file) => name !== "vertex" || !NOT_ON_VERTEX.test(file));
}

/** Runs one in its own process, and compares its output with its test's expectation. */
export async function runExample(file: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, ["--conditions=pollux-source", folder + file], {
    env: { ...withoutKeys(), POLLUX_LOG: "silent", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
    signal,
  });
  let output = "";
  // Of a stop, which its exit shows as well.
  child.on("error", () => {});
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | string>((resolve) =>
    child.on("close", (exit, killed) => resolve(exit ?? killed ?? "no code")),
  );
  if (code !== 0) return `ended with ${code}: ${output.trim().slice(-400)}`;
  const missing = PRINTS[file]?.filter((pattern) => !OF_EMULATOR.test(pattern.source) && !pattern.test(output)) ?? [];
  return missing.length === 0 ? "as documented" : `does not print ${missing.map(String).join(" nor ")}`;
}

/** A server on loopback that passes requests on with the key, so that its clients don't need it. */
export async function openGate(
  target: Target,
  send: Target["send"],
): Promise<{ readonly url: string; readonly close: () => void }> {
  const { endpoint } = target;
  const server = createServer((incoming, outgoing) => {
    void forward(incoming).then(
      async (response) => {
        const headers = Object.fromEntries(response.headers);
        for (const name of ["content-encoding", "content-length", "transfer-encoding"]) delete headers[name];
        const upload = headers["x-goog-upload-url"];
        if (upload !== undefined) headers["x-goog-upload-url"] = upload.replace(new URL(upload).origin, url);
        outgoing.writeHead(response.status, headers);
        if (response.body === null) outgoing.end();
        // A client that disconnects aborts its request.
        else await pipeline(response.body, outgoing).catch(() => {});
      },
      (error: unknown) => {
        const [code, status] = error instanceof CeilingReached ? [402, "RESOURCE_EXHAUSTED"] : [502, "UNAVAILABLE"];
        outgoing.writeHead(code, { "content-type": "application/json" });
        outgoing.end(
          JSON.stringify({ error: { code, status, message: error instanceof Error ? error.message : String(error) } }),
        );
      },
    );
  });

  async function forward(incoming: IncomingMessage): Promise<Response> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const kept = Object.entries(incoming.headers).filter(([name]) =>
      /^content-type$|^accept$|^x-goog-upload/.test(name),
    );
    const headers = { ...(Object.fromEntries(kept) as Record<string, string>), ...(await endpoint.authHeaders()) };
    const bytes = Buffer.concat(chunks);
    const isText = /json/.test(headers["content-type"] ?? "");
    const body = bytes.length === 0 ? {} : { body: isText ? bytes.toString() : new Uint8Array(bytes) };
    return send(endpoint.baseUrl + (incoming.url ?? "/"), { method: incoming.method ?? "GET", headers, ...body });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // It listens on a port, not on a path.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}
