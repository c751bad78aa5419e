import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEmulator, replay } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withoutKeys } from "../examples/run-example.ts";

const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));
const KEY = "AIzaSyLive-0123456789/abc+def";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-live-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs the command with the key of the service's stand-in. */
async function live(args: readonly string[], env: NodeJS.ProcessEnv = { POLLUX_LIVE_KEY: KEY }): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--conditions=pollux-source", CLI, ...args],
      { env: { ...withoutKeys(), ...env }, maxBuffer: 1e8 },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("asks over a socket, records without the key, and says what to change", async () => {
  const emulator = createEmulator({
    brain: improvise(),
    keys: [KEY],
    strict: { maxFunctionNameLength: 128, decodeImages: true },
  });
  await using server = await emulator.listen();
  const parts = ["questions", "laws", "06-image-input.ts", "15-files.ts"].flatMap((part) => ["--only", part]);
  const { code, output } = await live(["--against", server.url, "--folder", folder, ...parts]);
  expect(output).toContain(
    "function-name: createEmulator({ strict: { maxFunctionNameLength: 128 } }): make it the default",
  );
  expect(output).toContain("image-broken: createEmulator({ strict: { decodeImages: true } }): make it the default");
  expect(output).toMatch(/^\d+ asked for: 2 differ, 0 not asked, \d+ as expected\. Spent \$0\.\d+ of \$2\.$/m);
  expect(code).toBe(1);
  const report: unknown = JSON.parse(await readFile(join(folder, "report.json"), "utf8"));
  expect(report).toMatchObject({
    ceiling: 2,
    rows: expect.arrayContaining([expect.objectContaining({ id: "function-name", outcome: "differs" })]),
  });
  expect(await readFile(join(folder, "report.md"), "utf8")).toContain("## Differs");

  const files = await filesIn(folder);
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) {
    const text = await readFile(file, "utf8");
    for (const secret of [KEY, encodeURIComponent(KEY), btoa(KEY), JSON.stringify(KEY)])
      expect([file, text.includes(secret)]).toEqual([file, false]);
  }
  expect(output).not.toContain(KEY);

  // The recording answers the same request again.
  const again = createEmulator({ brain: replay(join(folder, "exchanges")) });
  const recorded = emulator.requests.find(({ path }) => path.includes("gemini-pro-latest"));
  const answer = await again.fetch(recorded?.path ?? "", {
    method: "POST",
    headers: { "x-goog-api-key": "emulator" },
    body: JSON.stringify(recorded?.body),
  });
  expect(await answer.json()).toMatchObject({ modelVersion: "gemini-3.1-pro-preview" });
});

test("asks nothing of a service that refuses the key", async () => {
  await using server = await createEmulator({ brain: improvise(), keys: ["another-key"] }).listen();
  const { code, output } = await live(["--against", server.url, "--folder", folder]);
  expect(output).toContain("The Developer API refuses: 400 INVALID_ARGUMENT API key not valid");
  expect(output).not.toContain("differs");
  expect([code, await filesIn(folder)]).toEqual([2, []]);
});

test("stops on Ctrl-C, and reports what it has asked", async () => {
  const args = ["--conditions=pollux-source", CLI, "--against", "emulator", "--folder", folder];
  const child = spawn(process.execPath, args, { env: withoutKeys() });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => /^9\/\d+ /m.test((output += chunk.toString())) && child.kill("SIGINT"));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(output).toMatch(/0 differ, [1-9]\d* not asked, (?:9|[1-9]\d+) as expected\./);
  expect([code, (await filesIn(folder)).map((file) => basename(file))]).toEqual([
    130,
    expect.arrayContaining(["report.json", "report.md"]),
  ]);
});

test("stops at the ceiling, and goes with 0 when nothing differs", async () => {
  const stopped = await live(["--against", "emulator", "--folder", folder, "--only", "questions", "--ceiling", "0.05"]);
  expect(stopped.output).toMatch(/0 differ, [1-9]\d* not asked, [1-9]\d* as expected\. Spent \$0\.0\d+ of \$0\.05\./);
  expect(stopped.output).toContain("of $0.05 are spent, and this may cost $");
  expect(stopped.code).toBe(0);
});

test("says what it would ask, and which keys to set", async () => {
  const dry = await live(["--against", "emulator", "--dry-run"]);
  expect(dry.output).toMatch(/^function-name \(developer\): How long may the name of a function be\? \$0\.\d+$/m);
  expect(dry.output).toMatch(/^\d+ to ask, for about \$[01]\.\d\d; \$2 at most\.$/m);
  expect(dry.code).toBe(0);
  const keyless = await live([], {});
  expect(keyless).toMatchObject({ code: 2, output: expect.stringContaining("Set one of these") });
  expect(await live(["--service", "bard"])).toMatchObject({
    code: 2,
    output: expect.stringContaining("developer, vertex, comet"),
  });
  const misspelled = await live(["--against", "emulator", "--only", "function-nam"]);
  expect(misspelled).toMatchObject({ code: 2, output: expect.stringContaining("nothing named function-nam") });
  expect(await live(["--help"])).toMatchObject({
    code: 0,
    output: expect.stringContaining("pnpm live --against emulator"),
  });
});
