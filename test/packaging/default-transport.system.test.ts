import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { tarballOf } from "../support/npm-install.ts";
import { programCommand, programFile } from "../support/programs.ts";

const run = promisify(execFile);
const core = fileURLToPath(new URL("../../packages/core/", import.meta.url));
const undici = join(core, "../tools/node_modules", "undici", "index.js");

/** Sends one request and prints its transport. Inside the package, it imports the package by name. */
const PROGRAM = `
import { endpoint, GeminiClient } from "@pollux/core/wire";
const said = [];
const none = () => {};
const debug = (facts, message) => void (message === "HTTP client chosen" && said.push(facts));
const logger = { trace: none, debug, info: none, warn: none, error: none };
const client = new GeminiClient({ endpoint: endpoint({ baseUrl: globalThis.process?.env.SERVICE ?? "http://127.0.0.1:1", apiKey: "key" }), logger });
const { candidates } = await client.generateContent("m", { contents: [{ role: "user", parts: [{ text: "hi" }] }] });
console.log(JSON.stringify({ said, text: candidates[0].content.parts[0].text }));
`;
/** The same, after a request with the platform's own client, which could change the choice. */
const AFTER_FETCH = `await (await fetch(process.env.SERVICE)).text();\n${PROGRAM}`;

const WATCHED = { httpClient: "node:http", why: "fetch is unpatched" };
const NOTHING_ELSE = { httpClient: "fetch", why: "the platform has no alternative" };

/** The packed package, unpacked where its dependencies resolve. */
let packed: string;
let server: Server;
let service: string;
/** Addresses as in the requests; addresses for a proxy have a host. */
const asked: string[] = [];

beforeAll(async () => {
  packed = mkdtempSync(join(core, "node_modules/.packed-"));
  await run("tar", ["-xzf", tarballOf(inject("packed"), "@pollux/core"), "-C", packed, "--strip-components=1"]);
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(JSON.stringify({ candidates: [{ content: { parts: [{ text: "ok" }] }, finishReason: "STOP" }] }));
  });
  // As a proxy: every host is this one.
  server.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const { port } = server.address() as AddressInfo;
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(target).pipe(socket);
    });
    for (const end of [socket, target]) end.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // An address object, the server being bound to a port.
  service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(packed, { recursive: true, force: true });
});

async function saidBy(
  command: string,
  args: readonly string[],
  program: string,
  env: NodeJS.ProcessEnv = {},
): Promise<unknown> {
  writeFileSync(join(packed, "program.mjs"), program);
  const { NODE_OPTIONS: _options, POLLUX_LOG: _log, POLLUX_HTTP_CLIENT: _client, ...own } = process.env;
  const { stdout } = await run(command, [...args, "program.mjs"], {
    cwd: packed,
    env: { ...own, SERVICE: service, ...env },
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

describe.each([
  ["Node 20", () => programFile("node-20", "bin/node")],
  ["Node 22", () => programFile("node-22", "bin/node")],
  ["this Node", () => process.execPath],
  ["the newest Node", () => programFile("node-newest", "bin/node")],
])("on %s", (title, node) => {
  test("requests go out by node:http, also after Node's own fetch", async () => {
    expect(await saidBy(node(), [], AFTER_FETCH)).toEqual({ said: [WATCHED], text: "ok" });
  });

  test("a fetch that was patched before the import is used", async () => {
    writeFileSync(join(packed, "patch.mjs"), "const own = fetch;\nglobalThis.fetch = (...args) => own(...args);\n");
    expect(await saidBy(node(), ["--import", "./patch.mjs"], PROGRAM)).toEqual({
      said: [{ httpClient: "fetch", why: "globalThis.fetch is not Node's own" }],
      text: "ok",
    });
  });

  // The package's undici runs on Node 22 and later.
  test.skipIf(title === "Node 20")("a dispatcher of undici's package is used, by fetch", async () => {
    const program = `import { Agent, setGlobalDispatcher } from ${JSON.stringify(undici)};\nsetGlobalDispatcher(new Agent());\n${PROGRAM}`;
    expect(await saidBy(node(), [], program)).toMatchObject({
      said: [{ httpClient: "fetch", why: expect.stringContaining("dispatcher") }],
    });
  });

  test("a proxy in the environment is used where fetch uses it; elsewhere, requests go out by node:http", async () => {
    const proxy = { HTTP_PROXY: service, http_proxy: service, NO_PROXY: "", no_proxy: "" };
    const target = { ...proxy, SERVICE: "http://service.invalid" };
    expect(await saidBy(node(), [], PROGRAM, proxy)).toEqual({ said: [WATCHED], text: "ok" });
    // Older versions of Node know no such variable.
    if (title === "Node 20") return;
    asked.length = 0;
    expect(await saidBy(node(), [], PROGRAM, { ...target, NODE_USE_ENV_PROXY: "1" })).toMatchObject({
      said: [{ httpClient: "fetch", why: expect.stringContaining("dispatcher") }],
      text: "ok",
    });
    expect(asked.filter((address) => address.includes("service.invalid"))).toHaveLength(1);
  });
});

test.each([
  ["Bun", () => programCommand("bun"), ["run"]],
  ["Deno", () => programCommand("deno"), ["run", "--allow-all"]],
])("on %s requests go out by its fetch", async (_title, command, args) => {
  expect(await saidBy(command(), args, PROGRAM)).toEqual({ said: [NOTHING_ELSE], text: "ok" });
});

interface Esbuild {
  readonly build: (options: object) => Promise<unknown>;
}

interface Vite {
  readonly build: (options: object) => Promise<unknown>;
}

interface Stats {
  hasErrors(): boolean;
  toString(): string;
}

type Webpack = (options: object, done: (error: Error | null, stats?: Stats) => void) => void;

/** A bundler of test/programs. */
async function load<T>(name: string): Promise<T> {
  const path = createRequire(programFile(name, "package.json")).resolve(name);
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  return (module.default ?? module) as T;
}

/** Writes the program with all of its imports into a folder. */
type Bundle = (entry: string, to: string, conditions: readonly string[], isNode: boolean) => Promise<void>;

const PLATFORMS = ["browser", "workerd", "edge-light", "bun", "deno", "deno node", "bun node"];
/** One platform, and one that claims to be Node as well. */
const TWO_PLATFORMS = ["browser", "deno node"];

const bundlers: readonly (readonly [name: string, bundle: Bundle, platforms: readonly string[]])[] = [
  [
    "rolldown",
    async (entry, to, conditions, isNode) => {
      const build = await rolldown({
        input: entry,
        platform: isNode ? "node" : "neutral",
        logLevel: "silent",
        resolve: { conditionNames: [...conditions, "import", "default"] },
      });
      await build.write({ dir: to, format: "esm" });
      await build.close();
    },
    PLATFORMS,
  ],
  [
    "esbuild",
    async (entry, to, conditions, isNode) => {
      const { build } = await load<Esbuild>("esbuild");
      const platform = isNode ? "node" : "neutral";
      const output = { bundle: true, format: "esm", splitting: true, outdir: to, logLevel: "silent" };
      await build({ entryPoints: [entry], platform, conditions, ...output });
    },
    PLATFORMS,
  ],
  [
    "Vite",
    async (entry, to, conditions, isNode) => {
      const { build } = await load<Vite>("vite");
      await build({
        root: packed,
        configFile: false,
        logLevel: "silent",
        resolve: { conditions },
        ssr: { noExternal: true, resolve: { conditions } },
        build: { outDir: to, target: "esnext", ssr: isNode, rollupOptions: { input: entry } },
      });
    },
    TWO_PLATFORMS,
  ],
  [
    "webpack",
    async (entry, to, conditions, isNode) => {
      const webpack = await load<Webpack>("webpack");
      const options = {
        mode: "none",
        entry,
        target: isNode ? "node20" : "webworker",
        experiments: { outputModule: true },
        output: { path: to, filename: "entry.mjs", module: true, chunkFormat: "module" },
        resolve: { conditionNames: [...conditions, "import", "default"] },
      };
      await new Promise<void>((resolve, reject) =>
        webpack(options, (error, stats) => {
          if (error === null && stats?.hasErrors() === false) resolve();
          else reject(error ?? new Error(stats?.toString()));
        }),
      );
    },
    TWO_PLATFORMS,
  ],
];

// The package determines the first matching condition, so the slow bundlers only get two platforms.
describe.each(bundlers)("bundled by %s", (name, bundle, platforms) => {
  async function bundled(...conditions: readonly string[]): Promise<string> {
    const folder = mkdtempSync(join(packed, "bundle-"));
    const entry = join(packed, "entry.mjs");
    writeFileSync(entry, PROGRAM);
    await bundle(entry, folder, conditions, conditions.includes("node"));
    return folder;
  }

  const codeIn = (folder: string): string =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.m?js$/.test(path))
      .map((path) => readFileSync(join(folder, path), "utf8"))
      .join("\n");

  test.each(platforms)("for %s it has nothing of Node in it", async (conditions) => {
    const code = codeIn(await bundled(...conditions.split(" ")));
    expect(code).toContain("x-goog-api-key");
    expect(code.match(/(node:(http|https|net|tls|zlib)\b|undici:request:create)/g)).toBeNull();
  });

  test("for Node it goes by node:http", async () => {
    const folder = await bundled("node");
    const file = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) =>
      /(^|\/)entry[^/]*\.m?js$/.test(path),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const { stdout } = await run(process.execPath, [file ?? `nothing was written by ${name}`], {
      cwd: folder,
      env: { ...process.env, SERVICE: service },
    });
    expect(JSON.parse(stdout)).toEqual({ said: [WATCHED], text: "ok" });
  });
});
