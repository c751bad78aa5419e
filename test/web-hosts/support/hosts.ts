import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { npmInstall, tarballOf, ZOD } from "../../support/npm-install.ts";
import { programFile } from "../../support/programs.ts";

/** A program that serves the bot, as in our guide for that host. */
interface Host {
  readonly command: readonly string[];
  readonly source: string;
}

const NODE: readonly string[] = [process.execPath];
const NODE_22: readonly string[] = [programFile("node-22", "bin/node")];
const BUN: readonly string[] = [programFile("bun", "bin/bun.exe"), "run"];
const DENO: readonly string[] = [programFile("deno", "deno"), "run", "--no-lock", "--allow-net", "--allow-env"];
const DENO_SERVE: readonly string[] = [programFile("deno", "deno"), "serve", "--no-lock", "--allow-env", "--port=0"];

const NODE_HTTP = `
import { createServer } from "node:http";
import { toNodeHandler } from "@pollux/web/node";
import { handler } from "./bot.js";
const server = createServer(toNodeHandler(handler)).listen(0, "127.0.0.1", () => {
  console.log("http://127.0.0.1:" + server.address().port);
});
`;
const HONO = `
import { Hono } from "hono";
import { handler } from "./bot.js";
const app = new Hono().all("/api/chat/*", ({ req }) => handler(req.raw));
`;
const EXPRESS = `
import express from "express";
import { toNodeHandler } from "@pollux/web/node";
import { handler } from "./bot.js";
const app = express();
`;
const EXPRESS_LISTENS = `
const server = app.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
`;

export const HOSTS = {
  "node:http": { command: NODE, source: NODE_HTTP },
  "node:http of Node 22": { command: NODE_22, source: NODE_HTTP },
  Express: {
    command: NODE,
    source: `${EXPRESS}app.use("/api/chat", toNodeHandler(handler));\napp.use(express.json());${EXPRESS_LISTENS}`,
  },
  "Express, behind its body parser": {
    command: NODE,
    source: `${EXPRESS}app.use(express.json());\napp.use("/api/chat", toNodeHandler(handler));${EXPRESS_LISTENS}`,
  },
  "Hono on Node": {
    command: NODE,
    source: `
import { serve } from "@hono/node-server";${HONO}
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log("http://127.0.0.1:" + port));
`,
  },
  "Hono on Bun": { command: BUN, source: `${HONO}export default { fetch: app.fetch, port: 0 };` },
  "Hono on Deno": { command: DENO_SERVE, source: `${HONO}export default app;` },
  Bun: {
    command: BUN,
    source: `
import { handler } from "./bot.js";
console.log(Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler }).url.href);
`,
  },
  Deno: {
    command: DENO,
    source: `
import { handler } from "./bot.js";
Deno.serve({ port: 0, hostname: "127.0.0.1" }, handler);
`,
  },
  "a route of Next.js": {
    command: NODE,
    source: `
import { createServer } from "node:http";
import { toNodeHandler } from "@pollux/web/node";
import { handler } from "./bot.js";
// The way Next.js calls the exports of route.ts.
const route = { GET: handler, POST: handler, PATCH: handler, DELETE: handler };
const serve = async (request) => await route[request.method](request, { params: Promise.resolve({ rest: [] }) });
const server = createServer(toNodeHandler(serve)).listen(0, "127.0.0.1", () => {
  console.log("http://127.0.0.1:" + server.address().port);
});
`,
  },
} satisfies Readonly<Record<string, Host>>;

/** A folder where the packed packages, the hosts' packages and the bot are installed. */
export interface HostFolder extends Disposable {
  /** Starts a host. */
  start(name: keyof typeof HOSTS): Promise<RunningHost>;
}

export interface RunningHost extends Disposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** Its output so far. */
  printed(): string;
}

export async function openHosts(): Promise<HostFolder> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-hosts-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
    const packed = inject("packed");
    await npmInstall(folder, [...["core", "web"].map((name) => tarballOf(packed, `@pollux/${name}`)), ZOD]);
    link(folder, "express", programFile("express", ""));
    link(folder, "@hono/node-server", programFile("@hono/node-server", ""));
    link(folder, "hono", fileURLToPath(new URL("../../node_modules/hono", import.meta.url)));
    const bot = stripTypeScriptTypes(readFileSync(new URL("bot.ts", import.meta.url), "utf8"));
    writeFileSync(join(folder, "bot.js"), bot);
  } catch (error) {
    remove();
    throw error;
  }
  const start: HostFolder["start"] = async (name) => {
    const { command, source }: Host = HOSTS[name];
    const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.js`);
    writeFileSync(file, source);
    return await startHost([...command, file], folder);
  };
  return { start, [Symbol.dispose]: remove };
}

/** Makes a package of another folder importable. */
function link(folder: string, name: string, target: string): void {
  const path = join(folder, "node_modules", name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(realpathSync(target), path);
}

/** Starts a program that prints its address. */
async function startHost([program = "", ...args]: readonly string[], cwd: string): Promise<RunningHost> {
  const { NODE_OPTIONS: _options, NODE_COMPILE_CACHE: _cache, ...env } = process.env;
  const child = spawn(program, args, {
    cwd,
    env: { ...env, DENO_NO_UPDATE_CHECK: "1", NODE_NO_WARNINGS: "1", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const stop = (): void => void child.kill("SIGKILL");
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (text: string): void => {
      printed += text;
      const port = /http:\/\/[\w.[\]]+:(\d+)/.exec(printed)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.once("error", reject).once("exit", () => reject(new Error(`it ended; it printed: ${printed}`)));
  });
  return { url, printed: () => printed, [Symbol.dispose]: stop };
}
