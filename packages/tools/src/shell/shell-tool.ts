import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { hasOwnNamespaces, inOwnNamespaces } from "./own-namespaces.ts";
import { ProcessGroup } from "../processes/process-group.ts";
import { followCommand } from "./run-command.ts";
import { shellEnvironment } from "./shell-environment.ts";
import type { ShellInput, ShellResult, ShellToolOptions } from "./shell-options.ts";

/** Milliseconds that the loop waits beyond the command's time limit, so that the model reads the output so far. */
const AFTER_MS = 10_000;

/**
 * `run_command`: runs a shell command in a folder, after a person has approved it. It has no stdin and gets only a few
 * environment variables; its output is reported as it arrives. When it ends, times out or is aborted, everything it started is
 * ended too. It is not a sandbox: a command can do whatever the program's user can do. On Linux, commands cannot read the program's
 * environment where the system can prevent it; see {@link ShellToolOptions.isolateProcesses}.
 *
 * @throws {TypeError} If an option is invalid.
 */
export function shellTool(options: ShellToolOptions): Tool<ShellInput, ShellResult> {
  const { timeoutMs = 120_000, graceMs = 2_000, maxOutputBytes = 30_000, needsApproval = true } = options;
  if (typeof options.cwd !== "string" || options.cwd.trim() === "")
    throw new TypeError("shellTool requires cwd, the folder that commands start in");
  for (const [name, value, least] of [
    ["timeoutMs", timeoutMs, 1],
    ["graceMs", graceMs, 0],
    ["maxOutputBytes", maxOutputBytes, 100],
  ] as const)
    if (!(value >= least && value <= 2 ** 31 - 1 - AFTER_MS))
      throw new TypeError(`shellTool: ${name} must be a number of at least ${least}, got ${String(value)}`);
  const { isolateProcesses: isolation = "auto" } = options;
  if (isolation !== "auto" && typeof isolation !== "boolean")
    throw new TypeError(`shellTool: isolateProcesses must be true, false or "auto", got ${String(isolation)}`);
  if (isolation === true && process.platform !== "linux")
    throw new TypeError(`shellTool: isolateProcesses works on Linux only; this is ${process.platform}`);
  // Determined once, with the first command.
  let isIsolated: Promise<boolean> | undefined;
  const cwd = resolve(options.cwd);
  return defineTool({
    name: "run_command",
    description: `Runs a shell command and returns its output and exit code. Each command starts in the same folder, has no input, and is stopped after ${timeoutMs / 1000} seconds. Background processes are stopped when the command ends.`,
    input: z.object({ command: z.string().min(1).max(50_000).describe("Command line for the shell") }),
    effects: "once",
    reads: ["untrusted", "private"],
    reach: "outside",
    sequential: true,
    timeoutMs: timeoutMs + graceMs + AFTER_MS,
    // In JSON, quotes and line breaks take two bytes each.
    maxResultBytes: Math.max(65_536, 2 * maxOutputBytes + 4096),
    needsApproval: async (input) => {
      // No approval is needed for a command that is refused anyway.
      if ((await objectionTo(input.command, options)) !== undefined) return false;
      return typeof needsApproval === "function" ? await needsApproval(input) : needsApproval;
    },
    run: async ({ command }, context): Promise<ShellResult> => {
      const objection = await objectionTo(command, options);
      if (objection !== undefined) throw new ToolError(objection);
      context.signal.throwIfAborted();
      const group = await start(command, cwd, options, await (isIsolated ??= isolates(isolation, options)));
      return await followCommand(group, {
        timeoutMs,
        graceMs,
        maxOutputBytes,
        signal: context.signal,
        report: async (output) => await context.progress(output),
      });
    },
  });
}

async function objectionTo(command: string, { allow }: ShellToolOptions): Promise<string | undefined> {
  if (command.includes("\0")) return "a command cannot contain a NUL character";
  const verdict = allow === undefined ? true : await allow(command);
  if (verdict === true) return undefined;
  return verdict || "this command is not allowed here";
}

/** @throws {ToolError} If isolation is required and this system doesn't allow it. */
async function isolates(isolation: boolean | "auto", { env = [] }: ShellToolOptions): Promise<boolean> {
  if (isolation === false || (isolation === "auto" && process.getuid?.() === 0)) return false;
  const isPossible = await hasOwnNamespaces(shellEnvironment(env));
  if (isPossible || isolation === "auto") return isPossible;
  throw new ToolError(
    "commands must run in namespaces of their own, which this system does not allow; no command can be run here",
  );
}

async function start(
  command: string,
  cwd: string,
  { shell, env = [] }: ShellToolOptions,
  isIsolated: boolean,
): Promise<ProcessGroup> {
  const isWindows = process.platform === "win32";
  const program = shell ?? (isWindows ? "cmd.exe" : "/bin/sh");
  const folder = await stat(cwd).catch(() => undefined);
  // Otherwise the system's error would say that the shell is missing.
  if (folder?.isDirectory() !== true) throw new ToolError(`the working folder does not exist: ${cwd}`);
  try {
    const own = isWindows ? ["/d", "/s", "/c", command] : ["-c", command];
    const [file, args] = isIsolated ? inOwnNamespaces(program, own) : [program, own];
    return await ProcessGroup.start(file, args, { cwd, env: shellEnvironment(env) });
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new ToolError(`the shell cannot be started: ${program} (${reason})`, { cause: error });
  }
}
