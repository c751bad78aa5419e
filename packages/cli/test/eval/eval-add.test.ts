import { existsSync } from "node:fs";
import { join } from "node:path";
import { Agent, gemini, geminiApi } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore } from "@pollux/core/node";
import { createEmulator, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import { runPollux } from "../../src/run-pollux.ts";
import { FakeProcess, runHere } from "../support.ts";
import { EvalFolder } from "./eval-folder.ts";

const SOURCES = new URL("../../../", import.meta.url).href;

/** A folder with a suite, and with a session of its agent. */
async function recorded({
  instructions = "",
  scrub = `scrub: (text) => text.replaceAll("Anna", "Kim"),`,
} = {}): Promise<EvalFolder> {
  const folder = await EvalFolder.make();
  const emulator = createEmulator({ brain: script([say("Hello Anna")]) });
  const kept = keepExchanges(new JsonlStore(folder.at("exchanges")));
  const model = gemini("gemini-3.8-flash", {
    endpoint: geminiApi({ apiKey: "k" }),
    fetch: (input, init) => emulator.fetch(input, init),
  });
  const agent = new Agent({ model, name: "support", observers: [kept] });
  await agent.session({ id: "order-9", store: new JsonlStore(folder.at("sessions")) }).send("I am Anna. own-secret");
  await kept.close();
  await folder.write(
    "support.eval.ts",
    `import { Agent, gemini, geminiApi } from "${SOURCES}core/src/index.ts";
import { defineEval } from "${SOURCES}evals/src/index.ts";
const model = gemini("gemini-3.8-flash", { endpoint: geminiApi({ apiKey: "k" }) });
const agent = new Agent({ model, name: "support", ${instructions} });
export default defineEval("support", { agent, data: [], ${scrub} });
`,
  );
  return folder;
}

const argsIn = (folder: EvalFolder, ...more: readonly string[]): readonly string[] => [
  "eval",
  "add",
  "order-9",
  "--store",
  folder.at("sessions"),
  "--suite",
  folder.at("support.eval.ts"),
  ...more,
];

test("shows what is taken out of a session, and writes it with --yes as a case that a suite can have", async () => {
  await using folder = await recorded();
  const env = { GEMINI_API_KEY: "own-secret" };
  const { code, out, err } = await runHere(argsIn(folder, "--yes", "--tag", "names", "--turn", "1"), { env });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/cases\/order-9: run [\w-]+ of support in order-9, 20\d\d-/);
  expect(out).toContain("2 texts changed, 1 of them with a key; 1 signature taken out; 0 citations moved\n");
  expect(out).toContain("log[0].input[0].parts[0].text\n    - I am Anna. [redacted]\n    + I am Kim. [redacted]\n");
  expect(out).toContain("    - Hello Anna\n    + Hello Kim\n1 request is identical byte for byte\n");
  expect(out).toContain('\n  sessionCase(new URL("cases/order-9", import.meta.url)),\n');
  const about = JSON.parse(await folder.read("cases/order-9/case.json"));
  expect(about).toMatchObject({ v: 1, turn: 1, tags: ["names"], agent: "support", scrubbed: true });
  const files = [await folder.read("cases/order-9/log.jsonl"), await folder.read("cases/order-9/exchanges.jsonl")];
  expect(files.join("")).not.toMatch(/Anna|own-secret/);
  expect(out).not.toContain("own-secret");
  // Not over another one.
  const again = await runHere(argsIn(folder, "-y"));
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining("is a case already: give this one another id") });
});

test("asks before it writes", async () => {
  await using folder = await recorded();
  const answer = async (
    text: string,
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
    const terminal = new FakeProcess({ isTyped: true });
    terminal.stdin.end(`${text}\n`);
    const code = await runPollux(argsIn(folder, "--id", text === "y" ? "yes" : "no"), terminal);
    return { code, out: terminal.out, err: terminal.err };
  };
  expect(await answer("n")).toMatchObject({
    code: 1,
    out: expect.stringContaining("Write it? [y/N] "),
    err: "Nothing was written.\n",
  });
  expect(await answer("y")).toMatchObject({ code: 0, out: expect.stringContaining('new URL("cases/yes"'), err: "" });
  expect([existsSync(folder.at("cases/no")), existsSync(folder.at("cases/yes"))]).toEqual([false, true]);
  expect(await runHere(argsIn(folder))).toMatchObject({
    code: 2,
    out: expect.stringContaining("+ Hello Kim"),
    err: expect.stringContaining("Nobody can confirm here: check the changes above, and add --yes"),
  });
});

test("writes nothing when the agent would send another request", async () => {
  await using folder = await recorded({ instructions: `instructions: "Be brief."` });
  const { code, err } = await runHere(argsIn(folder, "--yes"));
  expect(code).toBe(1);
  expect(err).toMatch(
    /^pollux eval add: The agent differs from the recording.*systemInstruction.*\nNothing was written.\n$/,
  );
  expect(existsSync(folder.at("cases"))).toBe(false);
});

test.each<[readonly string[], string]>([
  [["--turn", "0"], '--turn must be an integer from 1 to 999999, not "0"'],
  [["--turn", "2"], "has no turn 2: it has 1 to 1."],
  [["--id", "../x"], `"../x" can't name a case`],
  [["--id", ".."], `".." can't name a case`],
  [["other"], 'Unexpected argument "other"; one session at a time'],
  [["--store", "no/such"], "no/such doesn't exist"],
])("%j is refused", async (more, message) => {
  await using folder = await recorded();
  const { code, err } = await runHere(argsIn(folder, ...more));
  expect([1, 2]).toContain(code);
  expect(err).toContain(message);
});

test("a suite is named by its name, or is the only one", async () => {
  await using folder = await recorded();
  const asked = async (suite: string): Promise<string> =>
    (await runHere(["eval", "add", "order-9", "--store", folder.at("sessions"), "--suite", suite])).err;
  expect(await asked(folder.at(join("sessions", "order-9.jsonl")))).toContain("Cannot load");
  expect(await asked(folder.at("answers.json"))).not.toBe("");
});
