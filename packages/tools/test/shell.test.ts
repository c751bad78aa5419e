import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setImmediate } from "node:timers/promises";
import { Agent, type Tool, type ToolContext, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { PlainText } from "../src/shell/plain-text.ts";
import { type ShellOutput, type ShellResult, shellTool, type ShellToolOptions } from "../src/shell.ts";
import { hasOwnNamespaces } from "../src/shell/own-namespaces.ts";
import { children } from "./mcp/support.ts";
import { until } from "../../core/test/helpers/until.ts";

let cwd: string;

beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "pollux-shell-")));
});

afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Runs a command as the loop does, and gathers what it reports. */
async function run(
  command: string,
  options: Partial<ShellToolOptions> = {},
  { signal = new AbortController().signal, onOutput = (_output: ShellOutput): void | Promise<void> => {} } = {},
): Promise<ShellResult> {
  // Ids of processes are the test's own unless it is about namespaces.
  const tool = shellTool({ cwd, isolateProcesses: false, ...options }) as Tool;
  const progress = async (value: unknown): Promise<void> => await onOutput(value as ShellOutput);
  // The tool reads nothing else of the context.
  const context = { signal, progress } as unknown as ToolContext;
  return (await tool.run(await tool.parse({ command }), context)) as ShellResult;
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

const duration = expect.any(Number) as number;

/** The process ids that a command wrote down, once it did. */
async function pids(name = "pids"): Promise<number[]> {
  const file = join(cwd, name);
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"));
  return readFileSync(file, "utf8").trim().split(/\s+/).map(Number);
}

/** Resolves when these processes, which would run for an hour, are gone. */
async function areGone(ids: readonly number[]): Promise<void> {
  await expect.poll(() => ids.filter(isRunning)).toEqual([]);
}

/** Part of a command: waits until the test calls {@link open}. */
const opened = (gate: string): string => `until [ -e ${gate} ]; do sleep 0.01; done`;

function open(gate: string): void {
  writeFileSync(join(cwd, gate), "");
}

/** Stops the clock that time limits go by, until the end of the test. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** Lets time pass on a stopped clock, which then goes on by itself. */
function letPass(ms: number): void {
  vi.advanceTimersByTime(ms);
  vi.useRealTimers();
}

/** Whether a process runs; one that is only waiting for its parent's look does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === "win32")("run_command", () => {
  test("gives output, exit code and signal", async () => {
    let said = "";
    const onOutput = ({ text }: ShellOutput): void => {
      said += text;
      if (said.includes("out\n") && said.includes("err\n")) open("gate");
    };
    const command = `echo out; echo err >&2; ${opened("gate")}; printf %s end; exit 3`;
    expect(await run(command, {}, { onOutput })).toEqual({
      exit_code: 3,
      output: expect.stringMatching(/^(out\nerr|err\nout)\nend$/) as string,
      duration_ms: duration,
    });
    expect(await run("kill -HUP $$")).toEqual({ signal: "SIGHUP", output: "", duration_ms: duration });
  });

  test("reports the output of both streams as it comes", async () => {
    const reported: ShellOutput[] = [];
    const onOutput = (output: ShellOutput): void => {
      reported.push(output);
      open(output.text.trim());
    };
    const command = `echo one; ${opened("one")}; echo two >&2; ${opened("two")}; echo three`;
    expect((await run(command, {}, { onOutput })).output).toBe("one\ntwo\nthree\n");
    expect(reported).toEqual([
      { type: "shell-output", stream: "stdout", text: "one\n" },
      { type: "shell-output", stream: "stderr", text: "two\n" },
      { type: "shell-output", stream: "stdout", text: "three\n" },
    ]);
  });

  test("reads what a command left to the end, however slow the reader of the reports is", async () => {
    stopClock();
    const reported: string[] = [];
    let goOn = (): void => {};
    const onOutput = async ({ text }: ShellOutput): Promise<void> => {
      reported.push(text);
      if (reported.length > 1) return;
      const held = new Promise<void>((resolve) => (goOn = resolve));
      open("gate");
      await held;
    };
    const running = run(`echo one; ${opened("gate")}; echo $$ > pids; echo two`, {}, { onOutput });
    const [pid] = await pids();
    await until(() => !isRunning(pid ?? 0));
    for (let tries = 0; tries < 20; tries++) {
      vi.advanceTimersByTime(10_000);
      await setImmediate();
    }
    goOn();
    vi.useRealTimers();
    expect((await running).output).toBe("one\ntwo\n");
    expect(reported).toEqual(["one\n", "two\n"]);
  });

  test("begins in its folder, each time", async () => {
    mkdirSync(join(cwd, "sub"));
    expect((await run("cd sub && pwd -P")).output).toBe(`${cwd}/sub\n`);
    expect((await run("pwd -P")).output).toBe(`${cwd}\n`);
  });

  test("has no stdin and no terminal", async () => {
    expect(await run("cat; test -t 0 || echo none; (: </dev/tty) 2>/dev/null || echo no tty")).toMatchObject({
      exit_code: 0,
      output: "none\nno tty\n",
    });
  });

  test("sees nothing of the environment but what it is given", async () => {
    Object.assign(process.env, { POLLUX_TEST_SECRET: "s3cret", POLLUX_TEST_GIVEN: "given" });
    try {
      const { output } = await run("env", { env: ["POLLUX_TEST_GIVEN", "POLLUX_TEST_MISSING"] });
      expect(output).not.toContain("s3cret");
      const lines = Object.fromEntries(output.split("\n").map((line) => line.split("=", 2) as [string, string]));
      expect(lines).toMatchObject({ POLLUX_TEST_GIVEN: "given", TERM: "dumb", PATH: process.env["PATH"] });
      const known = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];
      const own = ["TERM", "POLLUX_TEST_GIVEN", "PWD", "OLDPWD", "SHLVL", "_", ""];
      expect(Object.keys(lines).filter((name) => ![...known, ...own].includes(name))).toEqual([]);
    } finally {
      delete process.env["POLLUX_TEST_SECRET"];
      delete process.env["POLLUX_TEST_GIVEN"];
    }
  });

  test("keeps the beginning and the end of long output, and counts the rest", async () => {
    const { output, dropped_bytes: dropped, ...rest } = await run("seq 1 200000", { maxOutputBytes: 200 });
    expect(rest).toEqual({ exit_code: 0, duration_ms: duration });
    const whole = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
    expect(dropped).toBe(whole.length - 200);
    expect(output).toBe(
      `${whole.slice(0, 100)}\n[${whole.length - 200} bytes of output left out here]\n${whole.slice(-100)}`,
    );
  });

  test("cuts one huge line between characters, and does not hold it in memory", async () => {
    const reported: ShellOutput[] = [];
    const program = `const s = "é漢😀".repeat(100000); for (let i = 0; i < 100; i++) require("fs").writeSync(1, s.slice(i % 2))`;
    writeFileSync(join(cwd, "program.cjs"), program.replace("s.slice(i % 2)", "s"));
    const before = process.memoryUsage().rss;
    const { output, dropped_bytes: dropped } = await run(
      `"${process.execPath}" program.cjs`,
      { maxOutputBytes: 1001 },
      { onOutput: (piece) => void reported.push(piece) },
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    expect(output).not.toContain("\ufffd");
    expect(output).toMatch(/^(é漢😀)+é?漢?\n\[\d+ bytes of output left out here\]\n(漢?😀)?(é漢😀)+$/);
    expect(dropped).toBeGreaterThan(10_000_000);
    const text = reported.map((part) => part.text).join("");
    expect(text.length).toBeLessThan(1_100_000);
    expect(text).toMatch(/\[more output is not reported\]\n$/);
  });

  test("turns binary output and terminal sequences into text", async () => {
    expect((await run(String.raw`printf 'a\000b\377\376c\n'`)).output).toBe("ab\ufffd\ufffdc\n");
    const colors = String.raw`printf '\033[1;31mred\033[0m \033]0;title\007t \033]8;;http://x\033\\link\033(B 10%%\r20%%\r\nend\b\n'`;
    expect((await run(colors)).output).toBe("red t link 10%\n20%\nend\n");
    // As it may come: in the middle of a character, of a sequence and of a line's end.
    const plain = new PlainText();
    const parts = ["\xc3", "\xa9\x1b", "[3", "2mx\r", "\ny"].map((part) => plain.add(Buffer.from(part, "latin1")));
    expect(parts.join("") + plain.end()).toBe("éx\ny");
    expect((await run("head -c 300000 /dev/urandom")).exit_code).toBe(0);
  });

  test("ends what is left in the background, also when it holds the output open", async () => {
    expect(await run("sleep 3600 & echo $! > pids; echo started")).toEqual({
      exit_code: 0,
      output: "started\n",
      duration_ms: duration,
      note: "processes that it left running were ended",
    });
    await areGone(await pids());
    expect(await run("sleep 3600 >/dev/null 2>&1 & echo $! > pids2")).toMatchObject({ exit_code: 0 });
    await areGone(await pids("pids2"));
  });

  test("does not wait for a process that left the group and holds the output open", async () => {
    const { output } = await run(
      "setsid sh -c 'echo $$ > pids; exec sleep 3600' & while ! [ -s pids ]; do :; done; echo on",
    );
    expect(output).toBe("on\n");
    for (const pid of await pids()) process.kill(pid, "SIGKILL");
  });

  test("kills processes that ignore SIGTERM, with all they started, when the time is up", async () => {
    stopClock();
    const sleeping = `trap '' TERM; while :; do sleep 3600; done`;
    // When it waits, both ignore the request to end.
    const command = `trap '' TERM; (trap '' TERM; until [ -s pids ]; do sleep 0.01; done; echo waiting; ${sleeping}) & echo $$ $! > pids; ${sleeping}`;
    const onOutput = (): void => letPass(300);
    expect(await run(command, { timeoutMs: 300, graceMs: 50 }, { onOutput })).toEqual({
      signal: "SIGKILL",
      output: "waiting\n",
      duration_ms: duration,
      note: "ended after its time limit of 300 ms",
    });
    await areGone(await pids());
  });

  test("lets a command end in its own way when the time is up", async () => {
    stopClock();
    // The shell's message about its killed child comes in no certain order.
    const polite = `exec 2>/dev/null; trap 'echo bye; exit 7' TERM; echo on; while :; do sleep 0.02; done`;
    const onOutput = ({ text }: ShellOutput): void => {
      if (text === "on\n") letPass(200);
    };
    expect(await run(polite, { timeoutMs: 200, graceMs: 60_000 }, { onOutput })).toEqual({
      exit_code: 7,
      output: "on\nbye\n",
      duration_ms: duration,
      note: "ended after its time limit of 200 ms",
    });
  });

  test("an abort ends everything and is passed on", async () => {
    const controller = new AbortController();
    const running = run("sleep 3600 & echo $$ $! > pids; wait", { graceMs: 100 }, { signal: controller.signal });
    const ids = await pids();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await areGone(ids);
    await expect(run("touch never", {}, { signal: controller.signal })).rejects.toBe(reason);
    expect((await run("ls")).output).toBe("pids\n");
  });

  test("says that the shell or the folder is missing", async () => {
    expect(await failure(run("true", { shell: "/no/such/shell" }))).toBe(
      "the shell cannot be started: /no/such/shell (ENOENT)",
    );
    expect(await failure(run("true", { cwd: join(cwd, "gone") }))).toBe(
      `the working folder does not exist: ${join(cwd, "gone")}`,
    );
    expect((await run("echo $0", { shell: "/bin/bash" })).output).toBe("/bin/bash\n");
  });

  test("leaves no listener on the program", async () => {
    const before = process.listenerCount("exit");
    await run("true");
    await failure(run("true", { shell: "/no/such/shell" }));
    expect(process.listenerCount("exit")).toBe(before);
  });
});

/** Whether a command in its own namespaces is possible here. */
const canIsolate = await hasOwnNamespaces({ PATH: process.env["PATH"] ?? "" });

describe.runIf(canIsolate)("a command in its own namespaces", () => {
  const isolateProcesses = true;

  test("cannot read the program's environment or memory, or end it", async () => {
    const reach = `cat /proc/${process.pid}/environ /proc/${process.pid}/maps || echo unreadable; kill -0 ${process.pid} || echo unreachable`;
    expect((await run(reach, { isolateProcesses: false })).output).not.toMatch(/unreadable|unreachable/);
    for (const attempt of [
      reach,
      `umount /proc; ${reach}`,
      `unshare --user --map-root-user --mount sh -c 'umount /proc; ${reach}'`,
    ])
      expect((await run(`(${attempt}) 2>/dev/null`, { isolateProcesses })).output).toBe("unreadable\nunreachable\n");
    const { output } = await run("cat /proc/[0-9]*/environ | tr '\\0' '\\n'", { isolateProcesses });
    expect(output).toContain("TERM=dumb");
    expect(output).not.toContain("VITEST");
    expect((await run("readlink /proc/self/ns/pid", { isolateProcesses })).output).not.toBe(
      readlinkSync("/proc/self/ns/pid"),
    );
  });

  test("reads and writes files as the program's user, and gives its output and exit code", async () => {
    expect(await run("echo out; id -u; pwd -P; echo x > made; exit 3", { isolateProcesses })).toEqual({
      exit_code: 3,
      output: `out\n${process.getuid?.()}\n${cwd}\n`,
      duration_ms: duration,
    });
    expect(readFileSync(join(cwd, "made"), "utf8")).toBe("x\n");
    expect(await run("kill -TERM $$", { isolateProcesses })).toMatchObject({ exit_code: 143 });
  });

  test("ends with all it has started, also what left its group", async () => {
    const ids = (): string[] => children().filter((line) => line.includes("unshare"));
    const left = "setsid sh -c 'echo ready; exec sleep 3600' & sleep 3600 &";
    expect(await run(`${left} echo on`, { isolateProcesses })).toMatchObject({ exit_code: 0 });
    await expect.poll(ids).toEqual([]);
    const controller = new AbortController();
    const onOutput = (): void => controller.abort(new Error("enough"));
    const stubborn = "trap '' TERM; echo on; while :; do sleep 3600; done";
    const options = { isolateProcesses, graceMs: 20 };
    await expect(run(stubborn, options, { signal: controller.signal, onOutput })).rejects.toThrow("enough");
    await expect.poll(ids).toEqual([]);
  });
});

/** Root changes to this user; anybody else stays the same. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const shellFile = fileURLToPath(new URL("../src/shell.ts", import.meta.url));
const canReadSources =
  spawnSync(process.execPath, ["-e", `require("node:fs").accessSync(${JSON.stringify(shellFile)})`], USER).status === 0;

test.runIf(canIsolate && canReadSources)("commands of an ordinary user cannot read its keys, by default", () => {
  const program = `
    import { shellTool } from ${JSON.stringify(shellFile)};
    const tool = shellTool({ cwd: "/" });
    const context = { signal: new AbortController().signal, progress: async () => {} };
    const command = "cat /proc/[0-9]*/environ | tr '\\\\0' '\\\\n' | grep -c A_KEY= ; cat /proc/" + process.pid + "/environ";
    console.log(JSON.stringify(await tool.run({ command }, context)));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-warnings", "--conditions=pollux-source", "--input-type=module-typescript", "-e", program],
    { ...USER, encoding: "utf8", env: { PATH: process.env["PATH"], A_KEY: "hidden" } },
  );
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({ exit_code: 1, output: expect.stringMatching(/^0\ncat: .*No such file/) });
});

test("a command that has to be isolated does not run where that is impossible", async () => {
  vi.stubEnv("PATH", cwd);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await failure(run("true", { isolateProcesses: true }))).toMatch(
    /^commands must run in namespaces of their own/,
  );
  expect(await run("echo on", { isolateProcesses: "auto" })).toMatchObject({ output: "on\n" });
  expect(() => shellTool({ cwd, isolateProcesses: "yes" as "auto" })).toThrow(TypeError);
});

test("its calls happen once and need approval by default", async () => {
  const { name, effects, sequential, timeoutMs } = shellTool({ cwd, timeoutMs: 5000 });
  expect({ name, effects, sequential, timeoutMs }).toEqual({
    name: "run_command",
    effects: "once",
    sequential: true,
    timeoutMs: 17_000,
  });
  const ask = async (options: Partial<ShellToolOptions>): Promise<unknown> =>
    await shellTool({ cwd, ...options }).needsApproval?.(
      { command: "ls" },
      { name, args: {} },
      { signal: new AbortController().signal, context: undefined },
    );
  expect(await ask({})).toBe(true);
  expect(await ask({ needsApproval: false })).toBe(false);
  expect(await ask({ needsApproval: ({ command }) => command !== "ls" })).toBe(false);
  expect(await ask({ allow: () => false })).toBe(false);
});

test.each([[{ cwd: " " }], [{ cwd: ".", timeoutMs: 0 }], [{ cwd: ".", maxOutputBytes: Number.NaN }]])(
  "%j is refused",
  (options) => {
    expect(() => shellTool(options)).toThrow(TypeError);
  },
);

test("commands that are not allowed are not run", async () => {
  const allow = (command: string): boolean | string =>
    !command.startsWith("rm") || (command === "rm x" ? false : "no rm");
  expect(await failure(run("rm x", { allow }))).toBe("this command is not allowed here");
  expect(await failure(run("rm y", { allow }))).toBe("no rm");
  expect(await failure(run("echo a\0b"))).toBe("a command cannot contain a NUL character");
  expect(await run("echo ok", { allow })).toMatchObject({ exit_code: 0, output: "ok\n" });
  await expect(
    run("touch x", {
      allow: () => {
        throw new Error("broken");
      },
    }),
  ).rejects.toThrow("broken");
  expect((await run("ls")).output).toBe("");
});

test("an agent runs a command when the user agrees, and reads why it was not run when not", async () => {
  const model = new ScriptedModel(
    call("run_command", { command: "echo $((6 * 7))" }),
    call("run_command", { command: "rm -rf ." }),
    say("42."),
  );
  const asked: unknown[] = [];
  const agent = new Agent({
    model,
    tools: [shellTool({ cwd })],
    approve: async ({ call: { args } }) => {
      asked.push(args);
      return JSON.stringify(args).includes("rm") ? { deny: "never" } : true;
    },
  });
  const stream = agent.stream("What is 6 times 7?");
  const progress: unknown[] = [];
  for await (const event of stream) if (event.type === "tool-progress") progress.push(event.progress);
  expect((await stream.result()).text).toBe("42.");
  expect(asked).toEqual([{ command: "echo $((6 * 7))" }, { command: "rm -rf ." }]);
  expect(progress).toEqual([{ type: "shell-output", stream: "stdout", text: "42\n" }]);
  const answers = model.requests
    .at(-1)
    ?.contents.flatMap(({ parts }) => parts.flatMap(({ functionResponse }) => functionResponse?.response ?? []));
  expect(answers).toEqual([
    { output: { exit_code: 0, output: "42\n", duration_ms: duration } },
    { error: expect.stringContaining("never") as string },
  ]);
});
