import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEmulator } from "@pollux/emulator";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { withoutKeys } from "../examples/run-example.ts";
import { npmInstall, tarballOf, TOOL_PEERS, ZOD } from "../support/npm-install.ts";
import { programFile, programVersion } from "../support/programs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

let app: string;

beforeAll(async () => {
  app = mkdtempSync(join(tmpdir(), "pollux-newcomer-"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const packed = inject("packed");
  const names = ["core", "emulator", "tools", "web", "inspector", "evals", "cli"].map((name) => `@pollux/${name}`);
  await npmInstall(app, [...names.map((name) => tarballOf(packed, name)), ...TOOL_PEERS, ZOD]);
});

afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

describe("npm start", () => {
  test("names a wrong key", async () => {
    await using server = await createEmulator({ keys: ["the-right-one"] }).listen();
    expect(await start([], { GOOGLE_GEMINI_BASE_URL: server.url })).toEqual({
      code: 1,
      err: "\nThe API responded with 400 INVALID_ARGUMENT: API key not valid. Please pass a valid API key. Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.\n",
    });
  });

  test("names a model that does not exist", async () => {
    expect(await start(["--model", "gemini-9-flush"])).toEqual({
      code: 1,
      err: '\nThe API responded with 404 NOT_FOUND: models/gemini-9-flush is not found for API version v1beta, or is not supported for generateContent. Call ModelService.ListModels to see the list of available models and their supported methods. Check the model id (did you mean "gemini-3.8-flash"?) and the base URL; listModels lists the models of this key.\n',
    });
  });

  test("names an option that does not exist", async () => {
    expect(await start(["--modle", "x"])).toEqual({
      code: 2,
      err: "npm start: Unknown option '--modle'.\nTry: npm start -- --help\n",
    });
  });

  test("writes neither colors nor links into a pipe", async () => {
    const { out } = await run(process.execPath, quickstart([]), {});
    expect(out).not.toContain("\u001b");
  });

  test("explains a Node that cannot run it", async () => {
    expect(await run(programFile("node-16", "bin/node"), [join(root, "scripts/bootstrap.mjs"), "quickstart"])).toEqual({
      code: 1,
      out: "",
      err: `pollux: Node 18 or later is needed, and this is Node ${programVersion("node-16")}: install a current one from https://nodejs.org\n`,
    });
  });
});

describe("npm run web", () => {
  const web = (args: readonly string[]): Promise<Ended> =>
    run(process.execPath, ["--conditions=pollux-source", join(root, "examples/web-chat/server/main.ts"), ...args]);

  test("names a port in use, and ends", async () => {
    await using server = await createEmulator().listen();
    expect(await web(["--port", new URL(server.url).port, "--data", join(app, "data")])).toEqual({
      code: 1,
      out: "",
      err: "npm run web: The port is in use. Choose another one: npm run web -- --port 5174\n",
    });
  });

  test("names an option that does not exist", async () => {
    const { code, err } = await web(["--prot", "1"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: "npm run web: Unknown option '--prot'\nTry: npm run web -- --help\n",
    });
  });
});

test("an example ends with a message, not with a stack trace", async () => {
  await using server = await createEmulator({ keys: ["the-right-one"] }).listen();
  const { code, err } = await run(process.execPath, ["--conditions=pollux-source", join(root, "examples/01-text.ts")], {
    GOOGLE_GEMINI_BASE_URL: server.url,
  });
  expect({ code, err }).toEqual({
    code: 1,
    err: "The API responded with 400 INVALID_ARGUMENT: API key not valid. Please pass a valid API key. Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.\n",
  });
});

test("a proxy that wants a password is named", async () => {
  const proxy = createServer().on("connect", (_request, socket) =>
    socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
  );
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    // A server on any interface has a port.
    const { port } = proxy.address() as AddressInfo;
    const program = `
      import { Agent, gemini, geminiApi } from "@pollux/core";
      const model = gemini("gemini-flash-latest", {
        endpoint: geminiApi({ apiKey: "some-key" }), retry: { maxAttempts: 1 }, httpClient: "node",
      });
      await new Agent({ model }).run("Hi").catch((error) => console.log(error.message));
    `;
    const { out } = await runProgram(process.execPath, program, { HTTPS_PROXY: `http://127.0.0.1:${port}` });
    expect(out).toBe(
      "No response from generativelanguage.googleapis.com/v1beta/models/gemini-flash-latest:streamGenerateContent (ERR_PROXY_TUNNEL); check the address of the proxy in HTTPS_PROXY, and the user and password in it.\n",
    );
  } finally {
    proxy.close();
  }
});

describe("a Node that is too old", () => {
  const node = programFile("node-18", "bin/node");

  test("is named by the program pollux", async () => {
    expect(await run(node, [join(app, "node_modules/@pollux/cli/dist/main.js"), "chat"])).toEqual({
      code: 1,
      out: "",
      err: `pollux needs Node 20.19 or later, and this is Node ${programVersion("node-18")}.\nInstall a current version from https://nodejs.org\n`,
    });
  });

  test("is named by the library", async () => {
    const program = `
      import { Agent } from "@pollux/core";
      try { new Agent({ model: "gemini-flash-latest" }); } catch (error) { console.log(error.message); }
    `;
    expect((await runProgram(node, program)).out).toBe(
      `Pollux needs Node 20.19 or later, and this is Node ${programVersion("node-18")}: install a current version from https://nodejs.org.\n`,
    );
  });
});

test("a TypeScript that is too old names the version it lacks", async () => {
  writeFileSync(
    join(app, "agent.ts"),
    'import { Agent } from "@pollux/core";\nnew Agent({ model: "gemini-flash-latest" });\n',
  );
  const flags = ["--noEmit", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"];
  const { out } = await run(process.execPath, [programFile("typescript-4", "bin/tsc"), ...flags, "agent.ts"]);
  expect(out).toBe(
    "node_modules/@pollux/core/dist/needs-typescript-5.0-or-later.d.ts(2,1): error TS1128: Declaration or statement expected.\n",
  );
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function quickstart(args: readonly string[]): string[] {
  return ["--conditions=pollux-source", join(root, "examples/quickstart.ts"), ...args];
}

async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Omit<Ended, "out">> {
  const { code, err } = await run(process.execPath, quickstart(args), env);
  return { code, err };
}

function runProgram(node: string, program: string, env?: NodeJS.ProcessEnv): Promise<Ended> {
  const file = join(app, "program.mjs");
  writeFileSync(file, program);
  return run(node, [file], env);
}

/** Runs a program in the app's folder, without keys and without colors. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: app, env: { ...withoutKeys(), ...env } }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1, out, err });
    });
  });
}
