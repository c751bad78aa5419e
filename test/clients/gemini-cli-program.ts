import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { programFile } from "../support/programs.ts";

const run = promisify(execFile);

/** The user's settings: a key instead of a login, and no telemetry. */
const SETTINGS = {
  security: { auth: { selectedType: "gemini-api-key" } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
};

/** Google's agent in its own folder, with its own home and only one service to connect to. */
export function geminiCli(service: { readonly url: string; readonly key: string }, settings: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), "pollux-gemini-cli-"));
  const [home, work, connections] = [join(folder, "home"), join(folder, "work"), join(folder, "connections")];
  mkdirSync(join(home, ".gemini"), { recursive: true });
  writeFileSync(join(home, ".gemini", "settings.json"), JSON.stringify({ ...SETTINGS, ...settings }));
  mkdirSync(work);
  const env = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    HOME: home,
    USERPROFILE: home,
    TMPDIR: folder,
    GEMINI_API_KEY: service.key,
    GOOGLE_GEMINI_BASE_URL: service.url,
    GEMINI_CLI_TRUST_WORKSPACE: "true",
    GEMINI_CLI_SYSTEM_SETTINGS_PATH: join(folder, "none.json"),
    GEMINI_CLI_SYSTEM_DEFAULTS_PATH: join(folder, "none.json"),
    GEMINI_SANDBOX: "false",
    NODE_OPTIONS: `--import=${new URL("connecting-process.ts", import.meta.url).href}`,
    CONNECTIONS_FILE: connections,
  };
  return {
    work,
    /** Runs the program to its end, without a terminal. @throws With its output, if it fails. */
    gemini: async (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> => {
      const program = programFile("@google/gemini-cli", "bundle/gemini.js");
      const options = { cwd: work, env: { ...env, ...more } };
      const running = run(process.execPath, [program, "--approval-mode=yolo", ...args], options);
      running.child.stdin?.end();
      return (await running).stdout;
    },
    /** Hosts that it connected to, other than the service. */
    strangers: (): readonly string[] =>
      readFileSync(connections, "utf8")
        .split("\n")
        .filter((host) => host !== "" && host !== new URL(service.url).host),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
