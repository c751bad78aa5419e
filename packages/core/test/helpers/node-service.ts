import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach } from "vitest";
import { nodeTransport, type NodeTransportOptions } from "../../src/node/index.ts";
import { GeminiClient } from "../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../src/wire/client-options.ts";
import { endpoint } from "../../src/wire/endpoints/endpoint.ts";
import type { GenerateContentRequest } from "../../src/wire/types/generate-content.ts";

export const ASK: GenerateContentRequest = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };
export const ANSWER = { candidates: [{ content: { role: "model", parts: [{ text: "a" }] }, finishReason: "STOP" }] };
export const EVENT = `data: ${JSON.stringify(ANSWER)}\r\n\r\n`;

/** Functions that close servers and clients; each runs after the test that added it. */
export const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

export interface Service {
  readonly port: number;
  readonly server: Server;
  /** Connections made so far. */
  connections: number;
  readonly bodies: string[];
}

export async function serve(listener: RequestListener): Promise<Service> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (bytes: Buffer) => chunks.push(bytes));
    request.on("end", () => {
      service.bodies.push(Buffer.concat(chunks).toString());
      listener(request, response);
    });
  });
  await listen(server);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const service: Service = { port: portOf(server), server, connections: 0, bodies: [] };
  server.on("connection", () => service.connections++);
  return service;
}

export async function listen(server: Server | TcpServer): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

/** The address is an object, since the server is bound to a port. */
export const portOf = (server: Server | TcpServer): number => (server.address() as AddressInfo).port;

export function clientOf(
  target: number | string,
  options: NodeTransportOptions = {},
  more: GeminiClientOptions = {},
): GeminiClient {
  const fetch = nodeTransport({ proxyEnv: {}, ...options });
  closing.push(() => void fetch.close());
  const baseUrl = typeof target === "number" ? `http://127.0.0.1:${target}` : target;
  return new GeminiClient({ endpoint: endpoint({ baseUrl }), retry: { maxAttempts: 1 }, env: {}, fetch, ...more });
}

export async function drain(client: GeminiClient): Promise<number> {
  let chunks = 0;
  for await (const batch of client.streamGenerateContent("m", ASK)) chunks += batch.length;
  return chunks;
}

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A key and a certificate for 127.0.0.1; undefined without openssl. */
export async function selfSigned(): Promise<Identity | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  try {
    await promisify(execFile)("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert]);
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function serveTls(
  identity: Identity | undefined,
): Promise<{ readonly url: string; connections: number; offered: string | undefined }> {
  const server = createSecureServer({ ...identity }, (request, response) => {
    service.offered = request.headers["accept-encoding"];
    request.resume().on("end", () => json(request, response));
  });
  await listen(server);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const service = {
    url: `https://127.0.0.1:${portOf(server)}`,
    connections: 0,
    offered: undefined as string | undefined,
  };
  server.on("secureConnection", () => service.connections++);
  return service;
}

export const answer: RequestListener = (_, response) => void response.writeHead(200).end(EVENT);
export const json: RequestListener = (_, response) => void response.writeHead(200).end(JSON.stringify(ANSWER));
