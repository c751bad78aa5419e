import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Answer,
  type Brain,
  type BrainTurn,
  calls,
  createEmulator,
  type Emulator,
  join as joinAnswers,
  json,
  grounded,
  say,
  think,
} from "@pollux/emulator";
import type { Content, GenerateContentRequest, Part } from "@pollux/core/wire";
import { expect, test } from "vitest";
import { MODEL, refusals } from "../support/world.ts";
import { geminiCli } from "./gemini-cli-program.ts";

const KEY = "gemini-cli-key-1234";
const TASK = "Add up the temperatures in oslo.txt and lima.txt, and write the sum to sum.txt.";

/** A coding agent's brain: reads two files in parallel, writes their sum, reads it back during a search, and reports it. */
const worker: Brain = {
  answer(turn) {
    const { request, prompt, sincePrompt } = turn;
    // Other requests of the program: the difficulty of the task, and a web search.
    if (request.generationConfig?.responseMimeType === "application/json")
      return json({ complexity_reasoning: "Two files and a sum.", complexity_score: 10 });
    if (request.tools?.some(({ googleSearch }) => googleSearch !== undefined))
      return grounded("It rains in Oslo.", { queries: ["rain in oslo"], sources: [{ title: "yr.no" }] });
    if (!prompt.includes(TASK)) return say("I work here.");
    const step = STEPS[sincePrompt.filter(({ role }) => role === "model").length];
    if (step === undefined) throw new Error("the task takes four answers");
    return step(turn);
  },
};

const STEPS: readonly ((turn: BrainTurn) => Answer)[] = [
  () =>
    joinAnswers(
      think("Both files first."),
      say("Let me read them."),
      calls(
        { name: "read_file", args: { file_path: "oslo.txt" } },
        { name: "read_file", args: { file_path: "lima.txt" } },
      ),
    ),
  (turn) => {
    const sum = outputs(turn).reduce((total, output) => total + Number.parseInt(output), 0);
    return calls({ name: "write_file", args: { file_path: "sum.txt", content: String(sum) } });
  },
  () =>
    calls(
      { name: "run_shell_command", args: { command: "cat sum.txt", description: "Looks at the sum." } },
      { name: "google_web_search", args: { query: "Does it rain in Oslo?" } },
    ),
  (turn) => {
    const [shown = "", found = ""] = outputs(turn);
    const rains = found.includes("It rains in Oslo.") ? "rain" : "no rain";
    return say(`The file says ${/Output: (\d+)/.exec(shown)?.[1]}, and the web says ${rains}.`);
  },
];

const DONE = "The file says 23, and the web says rain.";

/** The last request. The emulator accepted it, so it is valid. */
function lastContents(emulator: Emulator): readonly Content[] {
  return (emulator.requests.at(-1)?.body as GenerateContentRequest | undefined)?.contents ?? [];
}

function outputs({ responses }: BrainTurn): readonly string[] {
  return responses.map(({ response }) => String(response["output"]));
}

/** Google's agent with two files to read, and an emulator as its only service. */
async function open() {
  const emulator = createEmulator({ brain: worker, keys: [KEY] });
  const server = await emulator.listen();
  const program = geminiCli({ url: server.url, key: KEY });
  writeFileSync(join(program.work, "oslo.txt"), "4 degrees\n");
  writeFileSync(join(program.work, "lima.txt"), "19 degrees\n");
  return {
    emulator,
    ...program,
    operations: (): readonly (string | undefined)[] => emulator.requests.map(({ answered }) => answered.operation),
    /** Parts of one kind in the last request to the working model. */
    sent: <Kind extends "functionCall" | "functionResponse">(kind: Kind): readonly NonNullable<Part[Kind]>[] =>
      lastContents(emulator).flatMap(({ parts }) => parts.flatMap((part) => part[kind] ?? [])),
    async [Symbol.asyncDispose]() {
      await server.close();
      program[Symbol.dispose]();
    },
  };
}

test.each([MODEL, "gemini-2.5-flash", "gemini-4-argon", "auto"])(
  "Google's coding agent does a task with its own tools, on %s",
  async (model) => {
    await using opened = await open();
    const { emulator, work, gemini, strangers, operations, sent } = opened;
    const printed = await gemini(["-p", TASK, "-m", model]);

    expect(printed).toBe(`Let me read them.\n${DONE}\n`);
    expect(readdirSync(work).toSorted()).toEqual(["lima.txt", "oslo.txt", "sum.txt"]);
    expect(readFileSync(join(work, "sum.txt"), "utf8")).toBe("23");

    expect(refusals(emulator)).toEqual([]);
    expect(strangers()).toEqual([]);
    const stream = "streamGenerateContent";
    const task = [stream, stream, stream, "generateContent", stream];
    // A model of the program's choice searches, and another one selects the model by default.
    expect(operations()).toEqual(model === "auto" ? ["generateContent", ...task] : task);

    expect(sent("functionResponse")).toEqual([
      { id: expect.any(String), name: "read_file", response: { output: "4 degrees\n" } },
      { id: expect.any(String), name: "read_file", response: { output: "19 degrees\n" } },
      { id: expect.any(String), name: "write_file", response: { output: expect.stringContaining("sum.txt") } },
      { id: expect.any(String), name: "run_shell_command", response: { output: expect.stringContaining("23") } },
      { id: expect.any(String), name: "google_web_search", response: { output: expect.stringContaining("[1] yr.no") } },
    ]);
    expect(sent("functionResponse").map(({ id }) => id)).toEqual(sent("functionCall").map(({ id }) => id));
  },
);

test("Google's coding agent continues a conversation that it saved, and reads its cost", async () => {
  await using opened = await open();
  const { emulator, gemini, strangers } = opened;
  // Without calls: this version sends the answers of a saved conversation's calls twice, which the service refuses.
  // https://github.com/google-gemini/gemini-cli/issues/29365
  await gemini(["-p", "Who are you?", "-m", MODEL]);
  const printed = await gemini(["-p", "How do you do?", "-m", MODEL, "--resume", "latest", "--output-format", "json"]);

  expect(lastContents(emulator).map(({ role, parts }) => [role, parts.at(-1)?.text])).toEqual([
    ["user", "Who are you?"],
    ["model", "I work here."],
    ["user", "How do you do?"],
  ]);
  const { response, stats } = JSON.parse(printed) as {
    readonly response: string;
    readonly stats: { readonly models: { readonly [model: string]: { readonly tokens: Record<string, number> } } };
  };
  expect(response).toBe("I work here.");
  const { prompt = 0, candidates = 0, thoughts = 0, total } = stats.models[MODEL]?.tokens ?? {};
  expect([prompt, candidates, thoughts].every((tokens) => tokens > 0)).toBe(true);
  expect(total).toBe(prompt + candidates + thoughts);
  expect(refusals(emulator)).toEqual([]);
  expect(strangers()).toEqual([]);
});
