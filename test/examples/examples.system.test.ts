import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPage, ROOT } from "../docs/support/pages.ts";
import { type ProgramRunner, startRunner } from "../docs/support/snippet-runner.ts";
import { expectPrints, folder, PRINTS, QUICKSTART, runExample, withoutKeys } from "./run-example.ts";

const TRACED = "23-opentelemetry.ts";
const { [QUICKSTART]: _, ...others } = PRINTS;
/** Examples that read facts of a process, start one, or end theirs. */
const ofProcess = Object.keys(others).filter((file) =>
  /\bprocess\.(?!stdout)|child_process/.test(readFileSync(folder + file, "utf8")),
);

describe("examples in one process", () => {
  let runner: ProgramRunner;
  beforeAll(() => void (runner = startRunner(ROOT, withoutKeys(), ["--conditions=pollux-source"])));
  afterAll(() => runner[Symbol.asyncDispose]());

  test.for(Object.keys(others).filter((file) => !ofProcess.includes(file)))(
    "%s runs against the emulator and prints what it is for",
    async (file) => {
      const { problem, printed } = await runner.run(folder + file);
      expect(problem).toBe("");
      expect(printed).not.toMatch(/\u001b\[/); // no colors when the output is not a terminal
      for (const pattern of PRINTS[file] ?? []) expect(printed).toMatch(pattern);
    },
  );

  test("nothing that they leave open keeps the process from ending", async () => {
    await runner.end();
  });
});

describe.concurrent("examples in processes of their own", () => {
  test.for(ofProcess.filter((file) => file !== TRACED))(
    "%s runs against the emulator and prints what it is for",
    async (file) => {
      await expectPrints(file);
    },
  );

  test("the quickstart asks another question", async () => {
    const { code, output } = await runExample(QUICKSTART, "What is in the file LICENSE?");
    expect(output).toContain("LICENSE");
    expect(code).toBe(0);
  });

  test("23-opentelemetry.ts prints what it is for, which the guide to OpenTelemetry shows", async () => {
    const [, shown = ""] = /^```text\n(trip-planner[^]*?)^```$/m.exec(readPage("docs/guides/opentelemetry.md")) ?? [];
    const output = await expectPrints(TRACED);
    expect(withoutFigures(shown)).toMatch(/^invoke_agent planner # # in # out # pending: book_tickets$/m);
    expect(withoutFigures(output)).toContain(withoutFigures(shown));
  });
});

/** A drawn trace without ids, durations, tokens and cost, which change from run to run. */
function withoutFigures(text: string): string {
  return text
    .replaceAll(/(trace|continues) [\da-f]{8}/g, "$1 #")
    .replaceAll(/ \$?\d+(?:\.\d+)?(?: m?s\b)?/g, " #")
    .replaceAll(/ +/g, " ");
}
