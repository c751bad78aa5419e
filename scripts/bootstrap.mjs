/**
 * Entry point of `npm start` and `npm test`: `node scripts/bootstrap.mjs <script> [args]`.
 *
 * Updates the install if needed, then runs the named script of package.json on the Node that was installed with it.
 * Plain JavaScript without dependencies, for Node 18 and later: it runs before anything is installed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules", ".pollux-install");
const onWindows = process.platform === "win32";
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Descriptions printed before each step of a script: some steps are silent for half a minute. */
const STEPS = {
  "tsc -b": "checking types and building",
  "node scripts/build.ts": "bundling the packages",
  "vitest run": "running the tests",
};

const [major] = process.versions.node.split(".");
if (Number(major) < 18)
  fail(
    `Node 18 or later is needed, and this is Node ${process.versions.node}: install a current one from https://nodejs.org`,
  );

const [name, ...args] = process.argv.slice(2);
const script = manifest.scripts[name];
if (script === undefined) fail(`there is no script named ${JSON.stringify(name)} in package.json`);

if (!isInstalled()) await install();
process.exitCode = await runScript(script, args);

/** An install is valid only for the lockfile, the pnpm version and the platform it was made with. */
function fingerprint() {
  const hash = createHash("sha256");
  hash.update([manifest.packageManager, process.platform, process.arch].join(" "));
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8").trim() === fingerprint();
}

/** Prints one line with what it does and how long that took; shows the output of npx and pnpm only after a failure. */
async function install() {
  const started = Date.now();
  process.stderr.write(
    "pollux: installing dependencies and Node 24 into this folder, about a minute the first time ...",
  );

  const output = [];
  const child = spawn("npx", ["--yes", manifest.packageManager, "install", "--frozen-lockfile"], {
    cwd: root,
    env: { ...process.env, CI: "true", NO_COLOR: "1", npm_config_loglevel: "error" },
    stdio: ["ignore", "pipe", "pipe"],
    shell: onWindows,
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text));
  child.on("error", () => process.stderr.write("\n"));
  // It is alive.
  const ticker = setInterval(() => process.stderr.write("."), 10_000);
  const code = await exitOf(child).finally(() => clearInterval(ticker));

  process.stderr.write(code === 0 ? ` done in ${secondsSince(started)} s\n` : "\n");
  if (code !== 0) {
    const text = output.join("");
    const reason = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|META_FETCH_FAIL|network/i.test(
      text,
    )
      ? "the package registry could not be reached: check the network and npm's registry and proxy settings"
      : "the install failed";
    fail(`${reason}. The end of its output:\n${text.trimEnd().split("\n").slice(-15).join("\n")}`, code);
  }
  writeFileSync(stampFile, `${fingerprint()}\n`);
}

/** Runs `a && b` without a shell, so that arguments need no quoting and signals reach the program. */
async function runScript(line, extraArgs) {
  const commands = line.split(" && ").map((command) => command.split(" "));
  commands.at(-1).push(...extraArgs);
  for (const [program, ...programArgs] of commands) {
    const step = STEPS[[program, programArgs[0]].join(" ")];
    if (step !== undefined) say(step);
    const child = spawn(program, programArgs, { cwd: root, env: environment(), stdio: "inherit", shell: onWindows });
    const code = await exitOf(child);
    if (code !== 0) return code;
  }
  return 0;
}

/** Like pnpm's: the workspace's programs first on the path, its Node before all others. */
function environment() {
  const env = { ...process.env };
  const key = Object.keys(env).find((each) => each.toUpperCase() === "PATH") ?? "PATH";
  const own = [join(root, "node_modules", "node", "bin"), join(root, "node_modules", ".bin")];
  env[key] = [...own, env[key]].join(delimiter);
  // Sources are stripped of their types and compiled once, not on every start.
  env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "compiled");
  return env;
}

/** The child's exit code, or 128 + n if signal n ended it. Signals sent to this process are forwarded. */
function exitOf(child) {
  const forward = (signal) => {
    // Ctrl-C at a terminal has already reached the child.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      const hint =
        error.code === "ENOENT" ? `${child.spawnfile} is not on the path (npx comes with npm)` : error.message;
      fail(`could not start ${child.spawnfile}: ${hint}`);
    });
    child.on("close", (code, signal) => {
      for (const each of signals) process.off(each, forward);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function secondsSince(started) {
  return Math.round((Date.now() - started) / 1000);
}

function say(message) {
  process.stderr.write(`pollux: ${message}\n`);
}

function fail(message, code = 1) {
  say(message);
  process.exit(code);
}
