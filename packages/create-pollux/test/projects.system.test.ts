import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { type Chromium, openChromium, type Page } from "../../../test/runtimes/support/chromium.ts";
import { freePort } from "../../../test/support/free-ports.ts";
import { programCommand, programFile } from "../../../test/support/programs.ts";
import { type LocalRegistry, serveRegistry } from "./support/local-registry.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly packageManager: string };

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

let folder: string;
let registry: LocalRegistry;
let main: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "create-pollux-"));
  registry = await serveRegistry(inject("packed"));
  const registries = ["", "@pollux:"].map((scope) => `${scope}registry=${registry.url}\n`).join("");
  writeFileSync(join(folder, "npmrc"), `${registries}audit=false\nfund=false\nupdate-notifier=false\n`);
  for (const name of ["bin", "tmp"]) mkdirSync(join(folder, name));
  // Once: npx takes longer to find it than it takes to run.
  const find = ["--yes", "--package", manifest.packageManager, "-c", "command -v pnpm"];
  const { out: found } = await run("npx", find, root, { env: { npm_config_cache: undefined } });
  const commands = {
    pnpm: /^\/.+\/pnpm$/m.exec(found)?.[0] ?? found,
    yarn: programCommand("yarn"),
    bun: programCommand("bun"),
  };
  for (const [name, command] of Object.entries(commands)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  main = await installProgram();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The program as `npm create` installs it. */
async function installProgram(): Promise<string> {
  const packed = inject("packed").find(({ name }) => name === "create-pollux");
  if (packed === undefined) throw new Error("create-pollux was not packed");
  mkdirSync(join(folder, "program"));
  writeFileSync(join(folder, "program/package.json"), "{}");
  const { code, out } = await run("npm", ["install", "--prefer-offline", packed.tarball], join(folder, "program"));
  if (code !== 0) throw new Error(out);
  return join(folder, "program/node_modules/create-pollux/dist/main.js");
}

/** Without a key, and with the local registry by every name that a package manager reads it by. */
function environment(variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/_KEY$|^GOOGLE_|^p?npm_|^yarn_|^bun_|^VITEST|^NODE_ENV$|^CI$/i.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: [join(folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
    npm_config_userconfig: join(folder, "npmrc"),
    npm_config_registry: registry.url,
    NPM_CONFIG_REGISTRY: registry.url,
    // `npm create` and `bun create` would use what they had downloaded before, which has the same version.
    npm_config_cache: join(folder, "npm-cache"),
    BUN_INSTALL_CACHE_DIR: join(folder, "bun-cache"),
    TMPDIR: join(folder, "tmp"),
    pnpm_config_registry: registry.url,
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry.url).hostname,
    YARN_ENABLE_TELEMETRY: "0",
    BUN_CONFIG_REGISTRY: registry.url,
    NO_COLOR: "1",
    ...variables,
  };
}

function start(command: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): ChildProcess {
  return spawn(command, args, { cwd, env: environment(env), stdio: ["pipe", "pipe", "pipe"], detached: true });
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  { input = "", env = {} }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = start(command, args, cwd, env);
  // A program that reads nothing may have ended before.
  child.stdin?.on("error", () => {}).end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  return { code, out: out + err };
}

/** Writes a project and installs it, by the one command of a package manager. */
async function createProject(
  template: string,
  packageManager: string,
  { name = `${template}-${packageManager}`, options = [] }: { name?: string; options?: readonly string[] } = {},
): Promise<string> {
  const args = [name, ...(packageManager === "npm" ? ["--"] : []), "--template", template, ...options];
  const yes = packageManager === "npm" ? ["--yes"] : [];
  const { code, out } = await run(packageManager, ["create", ...yes, "pollux", ...args], folder);
  expect(out).toContain(`for ${packageManager}.`);
  expect(code, out).toBe(0);
  return join(folder, name);
}

test("an old Node is told which one is needed", async () => {
  const { code, out } = await run(programFile("node-18", "bin/node"), [main, "chat", "--yes"], folder);
  expect({ code, out }).toEqual({
    code: 1,
    out: "create-pollux needs Node 22.18 or later, which runs TypeScript, and this is Node 18.20.8.\nInstall a current version from https://nodejs.org\n",
  });
  expect(existsSync(join(folder, "chat"))).toBe(false);
});

describe("with npm", () => {
  let web: string;
  beforeAll(async () => {
    web = await createProject("web", "npm", { options: ["--operator"] });
  });

  /** As `npm create` writes it, and installed over what the web chat has: npm adds and removes what is different. */
  async function createBeside(template: string): Promise<string> {
    const project = await createProject(template, "npm", { options: ["--no-install"] });
    cpSync(join(web, "node_modules"), join(project, "node_modules"), { recursive: true, verbatimSymlinks: true });
    const { code, out } = await run("npm", ["install"], project);
    expect(code, out).toBe(0);
    expect(existsSync(join(project, "node_modules/react"))).toBe(false);
    return project;
  }

  // Its types and its own tests are among the first steps of test/newcomer.
  test("the template terminal chats, asks the service once a key is set, runs on Node 22, and has the guides", async () => {
    const project = await createBeside("terminal");
    const chatted = await run("npm", ["run", "start"], project, { input: "Roll 3 dice.\nRoll 2 dice.\n" });
    expect(chatted.out.match(/✓ roll_dice/g)).toHaveLength(2);
    expect(chatted.out.match(/No API key/g)).toHaveLength(1);
    expect(chatted.code).toBe(0);

    const service = createEmulator({ brain: improvise() });
    await using server = await service.listen();
    const env = { GEMINI_API_KEY: "a-key", GOOGLE_GEMINI_BASE_URL: server.url };
    const node22 = programFile("node-22", "bin/node");
    const { code, out } = await run(node22, ["src/main.ts", "Roll 3 dice."], project, { env });
    expect(out).toMatch(/^Answers come from 127\.0\.0\.1:\d+\.\n/);
    expect(out).toMatch(/✓ roll_dice .*rolls/);
    expect(service.requests).toHaveLength(2);
    expect(code).toBe(0);
    await inspectChats(project);

    await using locked = await createEmulator({ brain: improvise(), keys: ["another-key"] }).listen();
    const refused = { ...env, GOOGLE_GEMINI_BASE_URL: locked.url };
    const failed = await run("npm", ["start", "Roll 3 dice."], project, { env: refused });
    expect(failed.out).toMatch(/API key not valid/);
    expect(failed.out).not.toMatch(/^ +at /m);
    expect(failed.code).toBe(1);
    expect(existsSync(join(project, "node_modules/@pollux/core/docs/README.md"))).toBe(true);
  });

  test("the template library answers, type-checks, passes its tests and is packed", async () => {
    const project = await createBeside("library");
    await answers("npm", project);
    await typechecks("npm", project);
    await passesTests("npm", project, 3);
    await packLibrary("npm", project);
  });

  test("the template web answers in a page, as sources and built, type-checks and passes its tests", async () => {
    await typechecks("npm", web);
    await passesTests("npm", web, 8);
    await using browser = await openChromium();
    {
      // Another project is at the default port.
      await using _other = await occupy(5173);
      await using chat = await serveChat("npm", "start", web, {});
      await chatOverHttp(chat, "web-npm", "start");
      await chatInBrowser(browser, chat);
    }
    await using chat = await serveChat("npm", "serve", web);
    expect(chat.said()).toContain("built in");
    expect(chat.said()).not.toMatch(/warn|larger than|directive/i);
    await chatOverHttp(chat, "web-npm", "serve");
    await chatInBrowser(browser, chat, true);
  });
});

// What depends on the package manager: what it finds and installs, how packages find each other, scripts and packing.
describe.each(["pnpm", "yarn", "bun"])("with %s", (packageManager) => {
  test("the template library answers and is packed", async () => {
    const project = await createProject("library", packageManager);
    await answers(packageManager, project);
    await packLibrary(packageManager, project);
  });
});

// It lets a package import only what it lists; the others install like npm.
test("with pnpm, the template web answers over HTTP, type-checks and builds", async () => {
  const project = await createProject("web", "pnpm");
  await typechecks("pnpm", project);
  const built = await run("pnpm", ["run", "build"], project);
  expect(built.code, built.out).toBe(0);
  await using chat = await serveChat("pnpm", "start", project);
  await chatOverHttp(chat, "web-pnpm", "start");
});

async function answers(packageManager: string, project: string): Promise<void> {
  const answered = await run(packageManager, ["run", "start", "Roll 3 dice."], project);
  expect(answered.out).toMatch(/No API key is set, so a local emulator answers/);
  expect(answered.out).toMatch(/✓ roll_dice .*rolls/);
  expect(answered.code).toBe(0);
}

/** Loads the page and its code, asks, and reads the chat again. */
async function chatOverHttp({ url }: Served, title: string, id: string): Promise<void> {
  const page = await (await fetch(url)).text();
  expect(page).toContain(`<title>${title}</title>`);
  const [, code = ""] = /<script type="module"[^>]* src="(\/[^"@]+)"/.exec(page) ?? [];
  const loaded = await fetch(new URL(code, url));
  expect([loaded.status, loaded.headers.get("content-type")]).toEqual([
    200,
    expect.stringMatching(/^text\/javascript/),
  ]);

  const message = { id, role: "user", parts: [{ type: "text", text: "Roll 3 dice." }] };
  const answer = await fetch(new URL("/api/chat", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, messages: [message] }),
  });
  expect(await answer.text()).toContain('"toolName":"roll_dice"');
  const stored = await fetch(new URL(`/api/chat/${id}`, url));
  expect(await stored.json()).toMatchObject({ messages: [{ role: "user" }, { role: "assistant" }] });
}

/** Runs what the README says shows the chats, which are two by now. */
async function inspectChats(project: string): Promise<void> {
  const [, path = ""] = /pollux inspect (\S+)/.exec(readFileSync(join(project, "README.md"), "utf8")) ?? [];
  expect(readdirSync(join(project, path)).filter((file) => file.endsWith(".jsonl"))).toHaveLength(2);
  const child = start("npx", ["--no-install", "pollux", "inspect", path], project);
  const closed = once(child, "close");
  child.stdout!.setEncoding("utf8");
  let out = "";
  for await (const chunk of child.stdout!) {
    out += String(chunk);
    if (/http:\S+\//.test(out)) break;
  }
  process.kill(-child.pid!, "SIGINT");
  await closed;
  expect(out).toContain(`Inspecting ${join(realpathSync(project), path)}`);
}

async function typechecks(packageManager: string, project: string): Promise<void> {
  const { code, out } = await run(packageManager, ["run", "typecheck"], project);
  expect(code, out).toBe(0);
}

async function passesTests(packageManager: string, project: string, tests: number): Promise<void> {
  const { code, out } = await run(packageManager, ["run", "test"], project);
  expect(out).toMatch(new RegExp(`Tests +${tests} passed \\(${tests}\\)`));
  expect(code).toBe(0);
}

/** Packs the library, and uses the package as another project would: by what was compiled. */
async function packLibrary(packageManager: string, project: string): Promise<void> {
  const library = join(project, "packages/dice-agent");
  const packed = await run(packageManager, [...(packageManager === "bun" ? ["pm"] : []), "pack"], library);
  expect(packed.code, packed.out).toBe(0);
  const tarball = readdirSync(library).find((file) => file.endsWith(".tgz")) ?? "";
  mkdirSync(join(library, "other"));
  await run("tar", ["-xzf", tarball, "-C", "other"], library);
  expect(readdirSync(join(library, "other/package")).toSorted()).toEqual(["dist", "package.json"]);
  const names = "console.log(Object.keys(await import(process.argv[1])).join())";
  const used = await run(
    process.execPath,
    ["--input-type=module", "--eval", names, `./other/package/dist/index.js`],
    library,
  );
  expect(used).toEqual({ code: 0, out: "createDiceAgent,rollDice\n" });
}

/** Asks in a page, which shows the call and the answer, also when it is loaded again. */
async function chatInBrowser(browser: Chromium, { url, operatorUrl }: Served, isOperated = false): Promise<void> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
  await page.goto(url);
  await page.locator("::-p-aria(Message)").fill("Roll 3 dice.");
  await page.locator("::-p-aria(Send)").click();
  const shows = async (condition: string): Promise<void> => {
    await page.waitForFunction(condition).catch(async (error: unknown) => {
      const shown = String(await page.evaluate("document.body.innerText"));
      throw new Error(`not seen: ${condition}\n${shown}\n${problems.join("\n")}`, { cause: error });
    });
  };
  const isAnswered = `/\\d+ · \\d+ · \\d+[^]*local emulator/.test(document.querySelector("main")?.innerText)`;
  await shows(isAnswered);
  await shows(`document.querySelector(".is-stop") === null && document.querySelector(".answer-tools") !== null`);
  await page.reload();
  await shows(isAnswered);
  await page.locator("::-p-aria(New chat)").click();
  await shows(`/^What can I do/.test(document.querySelector("main")?.innerText)`);
  await page.locator("::-p-aria(Message)").fill("Book a table for 4 people at “Luigi’s”.");
  await page.locator("::-p-aria(Send)").click();
  await page.locator(`::-p-aria([name="Approve"][role="button"])`).click();
  await shows(`/booked the table[^]*Luigi/.test(document.querySelector("main")?.innerText)`);
  if (isOperated) await refundInBrowser(browser, page, operatorUrl, shows);
  expect(problems).toEqual([]);
  await page.close();
}

/** A refund is up to an operator, who pays less. */
async function refundInBrowser(
  browser: Chromium,
  page: Page,
  operatorUrl: string,
  shows: (condition: string) => Promise<void>,
): Promise<void> {
  await page.locator("::-p-aria(New chat)").click();
  await page.locator("::-p-aria(Message)").fill("Refund 40 euros for the order “A-17”.");
  await page.locator("::-p-aria(Send)").click();
  await shows(`/Waiting for operator/.test(document.querySelector("main")?.innerText)`);
  const operator = await browser.newPage();
  await operator.goto(operatorUrl);
  await operator.locator(`::-p-aria([name="Edit"][role="button"])`).click();
  await operator.locator("::-p-aria(euros)").fill("30");
  await operator.locator("form .primary").click();
  await operator.waitForFunction(`/Nothing waits/.test(document.body.innerText)`);
  await page.bringToFront();
  await shows(`/30 euros were paid back/.test(document.querySelector("main")?.innerText)`);
  await operator.close();
}

/** Takes a port, unless somebody else has it. */
async function occupy(port: number): Promise<AsyncDisposable> {
  const server = createServer();
  const isMine = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  return { [Symbol.asyncDispose]: async () => void (isMine && (await new Promise((done) => server.close(done)))) };
}

/** Where a web chat runs. */
interface Served {
  readonly url: string;
  /** Of the page of operators, if there is one. */
  readonly operatorUrl: string;
  /** What it has printed. */
  readonly said: () => string;
}

/** A web chat that runs; on a port that is free, unless `env` says otherwise. */
async function serveChat(
  packageManager: string,
  script: string,
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<AsyncDisposable & Served> {
  const child = start(packageManager, ["run", script], cwd, env ?? { PORT: String(await freePort()) });
  const isOperated = existsSync(join(cwd, "server/operators.ts"));
  const closed = once(child, "close");
  let out = "";
  const { url, operatorUrl } = await new Promise<Omit<Served, "said">>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      out += chunk.toString();
      const { url: found = "" } = /(?<url>http:\/\/localhost:\d+)\. Press/.exec(out)?.groups ?? {};
      const [operators = ""] = /http:\S+\/operator#\S+(?=\n)/.exec(out) ?? [];
      if (found !== "" && (operators !== "" || !isOperated)) resolve({ url: found, operatorUrl: operators });
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("close", () => reject(new Error(out)));
  });
  return {
    url,
    operatorUrl,
    said: () => out,
    [Symbol.asyncDispose]: async () => {
      // The package manager, and the program that it started.
      process.kill(-child.pid!, "SIGTERM");
      await closed;
    },
  };
}
