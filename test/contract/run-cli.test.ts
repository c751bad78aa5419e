import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";
import { CHECKS } from "./run-checks.ts";

const ANSWER = { candidates: [{ content: { role: "model", parts: [{ text: "hello" }] }, finishReason: "STOP" }] };

describe("the command", () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-command-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const good = { exchanges: [{ request: { contents: [{ parts: [{ text: "Hi" }] }] }, responseBody: ANSWER }] };

  function write(name: string, files: Readonly<Record<string, unknown>>): string {
    mkdirSync(join(folder, name));
    for (const [file, value] of Object.entries(files))
      writeFileSync(join(folder, name, file), typeof value === "string" ? value : JSON.stringify(value));
    return join(folder, name);
  }

  async function run(...args: readonly string[]) {
    const printed: string[] = [];
    const told: string[] = [];
    const code = await runCli(args, { print: (line) => printed.push(line), tell: (line) => told.push(line) });
    return { code, printed: printed.join("\n"), told: told.join("\n") };
  }

  test("passes over what is no recording, and says so", async () => {
    const { code, printed } = await run(
      write("mixed", { "a.json": good, "b.json": "{ not", "c.json": [1], "d.txt": "x", "e.json": { exchanges: [] } }),
    );
    expect(code).toBe(0);
    expect(printed).toContain("2 recordings with 1 exchanges");
    expect(printed).toContain("passed over, not JSON: b.json");
    expect(printed).toContain("passed over, no exchanges: c.json");
    expect(printed.match(/^(?:ok|FAIL) +\w+: \d+ compared/gm)).toHaveLength(CHECKS.length);
  });

  test("ends with 1 on a difference by file, and with 0 once it is known", async () => {
    const bad = { exchanges: [{ ...good.exchanges[0], request: { contents: [] } }] };
    const where = write("bad", { "a.json": good, "b.json": bad });
    const { code, printed } = await run(where, "--check", "emulator");
    expect({ code, printed }).toEqual({
      code: 1,
      printed: expect.stringMatching(
        /FAIL emulator: 2 compared, 1 differ.*\n +b\.json\n.*\n2 files, 2 exchanges, 0 chunks, 0 values, 2 requests: 1 difference$/s,
      ),
    });
    const known = join(where, "known.list");
    writeFileSync(known, JSON.stringify([{ check: "emulator", file: "b*.json", reason: "made up" }]));
    expect(await run(where, "--check", "emulator", "--known", known)).toMatchObject({ code: 0, told: "" });
  });

  test.each([
    ["a folder that is not there", ["/nowhere/at/all"], "does not exist"],
    ["a file for a folder", [import.meta.filename], "is not a folder"],
    ["two folders", ["a", "b"], "one folder at a time"],
    ["a check nobody knows", ["--check", "luck"], "there is no check luck"],
    ["an option nobody knows", ["--luck"], "Unknown option '--luck'"],
    ["a list that is not there", ["--known", "/nowhere.json"], "--known /nowhere.json cannot be read"],
  ])("ends with 2 for %s", async (_name, args, message) => {
    expect(await run(...args)).toEqual({ code: 2, printed: "", told: expect.stringContaining(message) });
  });

  test("ends with 2 for a folder without recordings", async () => {
    expect(await run(write("empty", {}))).toMatchObject({
      code: 2,
      told: expect.stringMatching(/no \.json file\nA recording is .* see docs\/contract\.md\.$/),
    });
    expect(await run(write("none", { "a.json": {} }))).toMatchObject({
      code: 2,
      told: expect.stringContaining("holds exchanges"),
    });
  });

  test("explains itself", async () => {
    const { code, printed } = await run("--help");
    expect(code).toBe(0);
    for (const { id, claim } of CHECKS) expect(printed).toContain(`${id.padEnd(14)}${claim}`);
  });
});
