/**
 * `node test/newcomer/first-steps.mjs FOLDER`: takes the first steps of the README, the guide and `npm create pollux` in fresh folders, with
 * the packages that `scripts/pack-packages.ts` has put into FOLDER. Prints a line per step, or fails with a step's output.
 *
 * Plain JavaScript without dependencies, for every Node that the packages support and for every system: CI runs it on all of them.
 */
import { exec, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Ends a hang. */
const PATIENCE_MS = 300_000;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** Whether this Node runs TypeScript; the scaffold asks for one that does. */
const runsTypeScript = major > 22 || (major === 22 && minor >= 18);

const tarballs = resolve(process.argv[2] ?? "");
const readme = pageOf("README.md");
const guide = pageOf("docs/guides/getting-started.md");
const work = mkdtempSync(join(tmpdir(), "pollux-first-steps-"));
try {
  await useTheLibrary(join(work, "app"));
  if (runsTypeScript) await startAProject(work);
  console.log(`first steps taken on Node ${process.versions.node}, ${process.platform}`);
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

async function useTheLibrary(folder) {
  mkdirSync(folder);
  await run(lineOf(guide, /npm init -y && npm pkg set type=module/), folder);
  const install = lineOf(readme, /npm install @pollux\/core zod/);
  await run(install.replace("@pollux/core", packed("@pollux/core")), folder);
  const others = [
    "@pollux/emulator",
    "@pollux/tools",
    "@pollux/web",
    "@pollux/inspector",
    "@pollux/evals",
    "@pollux/cli",
  ];
  await run(`npm install ${others.map(packed).join(" ")}`, folder);

  const main = join(folder, "node_modules/@pollux/cli/dist/main.js");
  const emulator = spawn(process.execPath, [main, "emulator", "--port", "0"], { env: environment() });
  try {
    const url = await addressOf(emulator);
    for (const [page, program, output] of [
      ["README", ...programOf(readme)],
      ["the guide", ...programOf(guide)],
    ]) {
      const file = runsTypeScript ? "agent.ts" : "agent.mjs";
      writeFileSync(join(folder, file), program);
      const printed = await run(`node ${file}`, folder, { GOOGLE_GEMINI_BASE_URL: url });
      // The pages explain this ending of the emulator's answers once, and omit it.
      const said = printed.replaceAll(/ ?\(This is the local emulator; no model wrote this\.\)/g, "");
      if (said !== output) throw new Error(`${page} promises:\n${output}\nand the program prints:\n${printed}`);
    }
  } finally {
    emulator.kill();
  }
  await run("npx --no-install pollux chat", folder, {}, "Hello!\n", /local emulator/);
}

async function startAProject(folder) {
  writeFileSync(join(folder, "package.json"), "{}");
  await run(`npm install ${packed("create-pollux")}`, folder);
  await run("npx --no-install create-pollux my-agent --yes --no-install", folder);
  const project = join(folder, "my-agent");
  // npm removes unlisted packages, and unpacks only missing ones.
  renameSync(join(folder, "app/node_modules"), join(project, "node_modules"));
  // From the registry, `npm install` would install these.
  const ours = [
    "@pollux/core",
    "@pollux/tools",
    "@pollux/emulator",
    "@pollux/web",
    "@pollux/inspector",
    "@pollux/evals",
    "@pollux/cli",
  ];
  await run(`npm install ${ours.map(packed).join(" ")}`, project);
  await run('npm start -- "Roll 3 dice."', project, {}, "", /roll_dice/);
  await run("npm run typecheck", project);
  await run("npm test", project, {}, "", /passed/);
}

/** Runs a line in the system's shell. @returns Its output. */
async function run(line, cwd, env = {}, input = "", expected = /(?:)/) {
  const options = { cwd, env: environment(env), timeout: PATIENCE_MS };
  const [error, out, err] = await new Promise((done) => {
    const child = exec(line, options, (...ended) => done(ended));
    child.stdin?.end(input);
  });
  if (error !== null || !expected.test(out)) throw new Error(`${line}\n${out}${err}`);
  console.log(`ok: ${line.replaceAll(tarballs, "").replaceAll('"', "")}`);
  return out;
}

/** Without keys, so that everything uses the emulator, and without the variables of npm and vitest. */
function environment(env = {}) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/_KEY$|^GOOGLE_|^npm_(?!config_)|^VITEST|^NODE_(?:ENV|OPTIONS)$/i.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    NO_COLOR: "1",
    npm_config_audit: "false",
    npm_config_fund: "false",
    ...env,
  };
}

/** The packed file of a package, for a command line. */
function packed(name) {
  const prefix = `${name.replace("@", "").replace("/", "-")}-`;
  const file = readdirSync(tarballs).find((each) => each.startsWith(prefix) && /^\d/.test(each.slice(prefix.length)));
  if (file === undefined) throw new Error(`${tarballs} has no ${prefix}*.tgz`);
  return `"${join(tarballs, file)}"`;
}

async function addressOf(server) {
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = once(server, "close");
  for (;;) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    if (url !== undefined) return url;
    const more = await Promise.race([once(server.stdout, "data"), once(server.stderr, "data"), ended.then(() => null)]);
    if (more === null) throw new Error(`the emulator ended:\n${said}`);
  }
}

function pageOf(path) {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8").replaceAll("\r\n", "\n");
}

/** A command from the page. */
function lineOf(page, command) {
  const [line] = command.exec(page) ?? [];
  if (line === undefined) throw new Error(`no page says ${command.source}`);
  return line;
}

/** The first program of a page, with its output on the page. */
function programOf(page) {
  const [, program, output] = /^```ts\n([^]*?)^```\n\n```text\n([^]*?)^```$/m.exec(page) ?? [];
  if (program === undefined || output === undefined) throw new Error("the page has no program with an output");
  return [program, output];
}
