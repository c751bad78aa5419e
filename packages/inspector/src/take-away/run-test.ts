import { type RecordedCall, recordedCalls } from "@pollux/core/rehearsal";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { firstWords, listOf, textIn, textOf } from "../inspection/read-values.ts";
import type { TakenFiles } from "../inspection/results.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { firstHead, outputOf } from "../replay/kept-head.ts";
import type { RequestHead } from "../replay/request-head.ts";
import { limitsOf, maxRepeatsOf } from "../replay/run-limits.ts";
import { lastResponse, stepsOfRun } from "../inspection/turn-step.ts";
import { recordingOfExchanges, recordingOfLog } from "./recording-file.ts";
import { fileName } from "./session-file.ts";

/**
 * A run as a vitest test with its recording: the same requests, answered by the emulator as they were then, and calls with their
 * outcomes. It fails until somebody writes down what the run should have done, and changes what makes it do that.
 */
export function runTest(fold: SessionFold, exchanges: ExchangeFold, run: RunFold): TakenFiles {
  const base = fileName(fold.id);
  const head = firstHead({ exchanges, run });
  const recording = recordingOfExchanges(exchanges, new Set([run.runId])) ?? recordingOfLog(fold, run);
  const calls = recordedCalls(fold.entries, run.runId);
  const repeats = maxRepeatsOf(run, calls);
  const limits = { ...limitsOf(run), ...(repeats !== undefined && { repeats }) };
  const code = testCode({
    title: firstWords(textIn(listOf(run.entry["input"])), 70) || "the run",
    recording: `${base}.recording.json`,
    model: textOf(run.entry["model"]) ?? "gemini-flash-latest",
    head,
    input: head?.contents ?? listOf(run.entry["input"]),
    functions: functionsOf(head, calls),
    calls,
    output: outputOf({ fold, run, exchanges }, head),
    options: Object.keys(limits).length > 0 ? { limits } : {},
    said: textIn([lastResponse(stepsOfRun(fold, run))["content"]]),
    hasFinished: run.end?.["stopReason"] === "finished",
  });
  return {
    files: [
      { name: `${base}.test.ts`, text: code },
      { name: `${base}.recording.json`, text: `${JSON.stringify(recording, null, 1)}\n` },
    ],
    notes: [
      "Save both files in one folder, and run: npx vitest run",
      ...(head === undefined
        ? ["The run's requests were not kept, so the recorded answers come in their order, whatever is asked."]
        : []),
    ],
  };
}

interface TestParts {
  readonly title: string;
  readonly recording: string;
  readonly model: string;
  readonly head: RequestHead | undefined;
  readonly input: readonly unknown[];
  readonly functions: readonly unknown[];
  readonly calls: readonly RecordedCall[];
  readonly output: RequestHead["output"];
  readonly options: { readonly [name: string]: unknown };
  readonly said: string;
  readonly hasFinished: boolean;
}

function testCode(test: TestParts): string {
  const { head, functions, output, said } = test;
  const toolChoice = head?.toolChoice === undefined ? {} : { toolChoice: head.toolChoice };
  const settings = Object.keys(head?.settings ?? {}).length === 0 ? {} : { settings: head?.settings };
  const options = { ...settings, ...toolChoice, ...test.options };
  const hasTools = functions.length > 0;
  const tools = [
    ...(hasTools ? ["...DECLARATIONS.map(recordedTool)"] : []),
    ...(head?.builtIns ?? []).map((wire) => asCode({ kind: "built-in", name: Object.keys(wire)[0], wire })),
  ];
  const lines = [
    `import { fileURLToPath } from "node:url";`,
    `import { Agent, ${hasTools ? "defineTool, " : ""}endpoint, gemini${hasTools ? ", ToolError" : ""} } from "@pollux/core";`,
    `import { createEmulator, replay } from "@pollux/emulator";`,
    `import { expect, test } from "vitest";`,
    ``,
    `const RECORDING = fileURLToPath(new URL(${asCode(`./${test.recording}`)}, import.meta.url));`,
    ...(hasTools ? ["", ...toolLines(test)] : []),
    ``,
    `test(${asCode(test.title)}, async () => {`,
    `  const emulator = createEmulator({ brain: replay(RECORDING) });`,
    `  // To see what your own agent does now, put it here, with this model and with tools that have no effects.`,
    `  const agent = new Agent({`,
    `    model: gemini(${asCode(test.model)}, {`,
    `      endpoint: endpoint({ baseUrl: "http://127.0.0.1" }),`,
    `      fetch: (input, init) => emulator.fetch(input, init),`,
    `    }),`,
    ...(head?.instructions === undefined ? [] : [`    instructions: ${asCode(head.instructions)},`]),
    ...(tools.length > 0 ? [`    tools: [${tools.join(", ")}],`] : []),
    ...Object.entries(options).map(([name, value]) => `    ${name}: ${asCode(value)},`),
    `  });`,
    `  const result = await agent.run(${asCode(test.input)}${output === undefined ? "" : `, { output: ${asCode(output)} }`});`,
    `  expect(result.stopReason).toBe("finished");`,
    ...(test.hasFinished
      ? [
          `  // It said: ${firstWords(said, 300)}`,
          `  expect(result.text).toBe("Write here what it should have said.");`,
        ]
      : []),
    `});`,
    ``,
  ];
  return lines.join("\n");
}

/** Tools that are declared as they were, and give what they gave. */
function toolLines({ functions, calls }: TestParts): readonly string[] {
  const responses: Record<string, unknown[]> = {};
  for (const { name, response } of calls)
    if (response !== undefined && name !== "__proto__") (responses[name] ??= []).push(response);
  return [
    `const DECLARATIONS = [`,
    ...functions.map((declaration) => `  ${asCode(declaration)},`),
    `];`,
    ``,
    `/** What each tool returned, call by call: an output, or an error. */`,
    `const OUTCOMES: Record<string, { output?: unknown; error?: unknown }[]> = {`,
    ...Object.entries(responses).map(([name, list]) => `  ${asCode(name)}: ${asCode(list)},`),
    `};`,
    ``,
    `function recordedTool(declaration: (typeof DECLARATIONS)[number]) {`,
    `  const { name, description } = declaration;`,
    `  const outcomes = [...(OUTCOMES[name] ?? [])];`,
    `  const tool = defineTool({`,
    `    name,`,
    `    description,`,
    `    input: { type: "object", properties: {}, additionalProperties: true },`,
    `    maxModelRetries: Infinity,`,
    `    run: () => {`,
    `      const { output, error } = outcomes.shift() ?? {};`,
    `      if (error !== undefined) throw new ToolError(String(error));`,
    `      return output;`,
    `    },`,
    `  });`,
    `  return { ...tool, declaration };`,
    `}`,
  ];
}

function functionsOf(head: RequestHead | undefined, calls: readonly RecordedCall[]): readonly unknown[] {
  if (head !== undefined) return head.functions;
  const names = [...new Set(calls.map(({ name }) => name))].filter((name) => /^[A-Za-z_][\w.:-]{0,63}$/.test(name));
  const parametersJsonSchema = { type: "object", properties: {}, additionalProperties: true };
  return names.map((name) => ({ name, description: name, parametersJsonSchema }));
}

/** A value as code: JSON, in which nothing can end a string or begin a comment. */
function asCode(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
}
