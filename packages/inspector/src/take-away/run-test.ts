import { type RecordedCall, recordedCalls } from "@pollux/core/rehearsal";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { firstWords, listOf, textIn, textOf } from "../inspection/read-values.ts";
import type { TakenFiles } from "../inspection/results.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { firstHead, outputOf, limitsOf, maxRepeatsOf } from "../replay/kept-head.ts";
import type { RequestHead } from "../replay/request-head.ts";
import { lastResponse, stepsOfRun } from "../inspection/turn-step.ts";
import { recordingOfExchanges, recordingOfLog } from "./recording-file.ts";
import { fileName } from "./session-file.ts";

/**
 * A run as a vitest test with its recording: the same requests, which the emulator answers as recorded, and calls with their outcomes.
 * It fails until somebody writes down the expected answer and fixes the agent.
 */
export function runTest(fold: SessionFold, exchanges: ExchangeFold, run: RunFold): TakenFiles {
  const base = fileName(fold.id);
  const head = firstHead({ exchanges, run });
  const recording = recordingOfExchanges(exchanges, new Set([run.runId])) ?? recordingOfLog(fold, run);
  return {
    files: [
      { name: `${base}.test.ts`, text: testCode(fold, exchanges, run, head) },
      { name: `${base}.recording.json`, text: `${JSON.stringify(recording, null, 1)}\n` },
    ],
    notes: [
      "Save both files in one folder, and run: npx vitest run",
      head === undefined &&
        "The run's requests were not kept, so the recorded answers come in order, whatever the requests.",
    ].filter((note) => note !== false),
  };
}

function testCode(fold: SessionFold, exchanges: ExchangeFold, run: RunFold, head: RequestHead | undefined): string {
  const calls = recordedCalls(fold.entries, run.runId);
  const functions = functionsOf(head, calls);
  const output = outputOf({ fold, run, exchanges }, head);
  const repeats = maxRepeatsOf(run, calls);
  const limits = { ...limitsOf(run), ...(repeats !== undefined && { repeats }) };
  const { settings = {}, toolChoice } = head ?? {};
  const options = {
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(toolChoice !== undefined && { toolChoice }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
  const input = listOf(run.entry["input"]);
  const answer = textIn([lastResponse(stepsOfRun(fold, run))["content"]]);
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
    `const RECORDING = fileURLToPath(new URL(${asCode(`./${fileName(fold.id)}.recording.json`)}, import.meta.url));`,
    ...(hasTools ? ["", ...toolLines(functions, calls)] : []),
    ``,
    `test(${asCode(firstWords(textIn(input), 70) || "the run")}, async () => {`,
    `  const emulator = createEmulator({ brain: replay(RECORDING) });`,
    `  // To test your own agent, use it here, with this model and with tools without effects.`,
    `  const agent = new Agent({`,
    `    model: gemini(${asCode(textOf(run.entry["model"]) ?? "gemini-flash-latest")}, {`,
    `      endpoint: endpoint({ baseUrl: "http://127.0.0.1" }),`,
    `      fetch: (input, init) => emulator.fetch(input, init),`,
    `    }),`,
    ...(head?.instructions === undefined ? [] : [`    instructions: ${asCode(head.instructions)},`]),
    ...(tools.length > 0 ? [`    tools: [${tools.join(", ")}],`] : []),
    ...Object.entries(options).map(([name, value]) => `    ${name}: ${asCode(value)},`),
    `  });`,
    `  const result = await agent.run(${asCode(head?.contents ?? input)}${output === undefined ? "" : `, { output: ${asCode(output)} }`});`,
    `  expect(result.stopReason).toBe("finished");`,
    ...(run.end?.["stopReason"] === "finished"
      ? [
          `  // The recorded answer: ${firstWords(answer, 300)}`,
          `  expect(result.text).toBe("Write the expected answer here.");`,
        ]
      : []),
    `});`,
    ``,
  ];
  return lines.join("\n");
}

/** Code of tools with their recorded declarations and outcomes. */
function toolLines(functions: readonly unknown[], calls: readonly RecordedCall[]): readonly string[] {
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

/** A value as code: JSON, without characters that could end a line of code. */
function asCode(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
}
