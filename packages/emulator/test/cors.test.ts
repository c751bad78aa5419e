import { afterEach, expect, test } from "vitest";
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
  faults,
  type RunningServer,
  script,
  say,
} from "../src/index.ts";
import { ask, MODEL } from "./support.ts";

const PAGE = "http://localhost:5173";
const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: EmulatorOptions = {}): Promise<{ readonly emulator: Emulator; readonly url: string }> {
  const emulator = createEmulator({ brain: script([say("Hi")]), ...options });
  const server = await emulator.listen();
  servers.push(server);
  return { emulator, url: `${server.url}/v1beta/models/${MODEL}` };
}

const corsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

const generate = (url: string, key = "k", headers: Record<string, string> = { origin: PAGE }): Promise<Response> =>
  fetch(`${url}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": key, ...headers },
    body: JSON.stringify(ask("Hi")),
  });

test.each([
  ["POST", "content-type,x-goog-api-key,x-server-timeout"],
  ["POST", "authorization,content-type"],
  ["DELETE", "x-goog-api-key"],
])("a preflight for %s with %s is answered, and is no request of the log", async (method, names) => {
  const { emulator, url } = await serve();
  const response = await fetch(`${url}:generateContent`, {
    method: "OPTIONS",
    headers: { origin: PAGE, "access-control-request-method": method, "access-control-request-headers": names },
  });
  expect({ status: response.status, body: await response.text(), vary: response.headers.get("vary") }).toEqual({
    status: 200,
    body: "",
    vary: "Origin",
  });
  expect(corsOf(response)).toEqual({
    "access-control-allow-origin": PAGE,
    "access-control-allow-methods": method,
    "access-control-allow-headers": names,
    "access-control-max-age": "3600",
  });
  expect(emulator.requests).toEqual([]);
});

test("a preflight for a plain request allows no headers beside the usual ones", async () => {
  const { url } = await serve();
  const response = await fetch(url, {
    method: "OPTIONS",
    headers: { origin: PAGE, "access-control-request-method": "GET" },
  });
  expect(corsOf(response)).toEqual({
    "access-control-allow-origin": PAGE,
    "access-control-allow-methods": "GET",
    "access-control-max-age": "3600",
  });
});

test("an OPTIONS request that is no preflight is refused as any unknown method", async () => {
  const { emulator, url } = await serve();
  expect((await fetch(url, { method: "OPTIONS", headers: { origin: PAGE } })).status).toBe(404);
  expect(emulator.requests.map(({ method }) => method)).toEqual(["OPTIONS"]);
});

test("a page reads answers with all their headers", async () => {
  const { url } = await serve();
  const response = await generate(url);
  expect(response.status).toBe(200);
  expect(corsOf(response)).toEqual({
    "access-control-allow-origin": PAGE,
    "access-control-expose-headers": "content-type, server, vary",
  });
});

test("a page reads refusals, faults and the addresses of uploads", async () => {
  const { url } = await serve({ faults: [{ at: 1, fault: faults.plainQuota() }] });
  const origin = new URL(url).origin;
  const answers = [
    await generate(url, "bad-key"),
    await generate(url),
    await fetch(`${origin}/nowhere`, { headers: { origin: PAGE } }),
    await fetch(`${origin}/upload/v1beta/files`, {
      method: "POST",
      headers: {
        origin: PAGE,
        "x-goog-api-key": "k",
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
      },
      body: JSON.stringify({ file: { mimeType: "text/plain" } }),
    }),
  ];
  expect(
    answers.map((answer) => ({
      status: answer.status,
      origin: answer.headers.get("access-control-allow-origin"),
      uploads: answer.headers.get("access-control-expose-headers")?.includes("x-goog-upload-url"),
    })),
  ).toEqual([
    { status: 400, origin: PAGE, uploads: false },
    { status: 429, origin: PAGE, uploads: false },
    { status: 404, origin: PAGE, uploads: false },
    { status: 200, origin: PAGE, uploads: true },
  ]);
});

test("a client that is no page gets no CORS headers, nor does one without a socket", async () => {
  const { emulator, url } = await serve();
  expect(corsOf(await generate(url, "k", {}))).toEqual({});
  const path = `/v1beta/models/${MODEL}`;
  expect(corsOf(await emulator.fetch(path, { headers: { origin: PAGE, "x-goog-api-key": "k" } }))).toEqual({});
});
