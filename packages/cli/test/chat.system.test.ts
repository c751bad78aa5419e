import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withoutKeys } from "../../../test/examples/run-example.ts";
import { MAIN } from "./support.ts";

/** Types lines into the chat and gives back what it printed and how it ended. */
async function talk(
  lines: readonly string[],
  cwd: string,
  options: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ["--conditions=pollux-source", MAIN, "chat", ...options], {
    cwd,
    env: withoutKeys(),
    timeout: 120_000,
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  child.stdin.end(`${lines.join("\n")}\n`);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

test("a conversation with commands: help, tools, a message, usage, save, exit", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-chat-"));
  try {
    const { code, output } = await talk(
      [
        "/help",
        "/tools",
        "/nonsense",
        "Hello there.",
        "/usage",
        "/save talk.json",
        "/save talk.json",
        "/exit",
        "never read",
      ],
      folder,
    );
    expect(output).toContain("/save FILE");
    expect(output).toContain("googleSearch");
    expect(output).toContain("unknown command /nonsense; /help lists the commands");
    expect(output).toMatch(/\d+ tokens in \d+ requests?/);
    expect(output).toContain("saved 2 contents to talk.json");
    expect(output).toContain("talk.json already exists");
    expect(code).toBe(0);
    const saved = JSON.parse(readFileSync(join(folder, "talk.json"), "utf8")) as { role: string }[];
    expect(saved.map(({ role }) => role)).toEqual(["user", "model"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a named conversation continues after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-chat-"));
  try {
    const named = ["--session", "trip"];
    expect((await talk(["Hello there.", "/exit"], folder, named)).code).toBe(0);
    const { code, output } = await talk(["/history", "And again.", "/save talk.json", "/exit"], folder, named);
    expect(output).toContain("trip resumed after 1 message");
    expect(output).toMatch(/^(> )*Hello there\.$/m);
    expect(output).toContain("saved 4 contents to talk.json");
    expect(code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("--tools chooses the tools; an unknown name is an error that lists the known ones", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-chat-"));
  try {
    const chosen = await talk(["/tools", "/exit"], folder, ["--tools", "calculator,time,todo"]);
    expect(chosen.output).toMatch(/^(> )*calculator {2}/m);
    expect(chosen.output).toMatch(/^set_todos {2}/m);
    expect(chosen.output).not.toContain("read_file");
    expect(chosen.code).toBe(0);
    const wrong = await talk([], folder, ["--tools", "files,magic"]);
    expect(wrong.output).toContain('--tools: unknown tool "magic"; available: files, write, shell');
    expect(wrong.code).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
