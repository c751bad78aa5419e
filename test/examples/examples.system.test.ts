import { describe, expect, test } from "vitest";
import { readPage } from "../docs/support/pages.ts";
import { expectPrints, PRINTS, QUICKSTART, runExample } from "./run-example.ts";

describe.concurrent("examples", () => {
  const { [QUICKSTART]: _, ...others } = PRINTS;
  test.for(Object.keys(others))("%s runs against the emulator and prints what it is for", async (file) => {
    await expectPrints(file);
  });

  test("the quickstart asks another question", async () => {
    const { code, output } = await runExample(QUICKSTART, "What is in the file LICENSE?");
    expect(output).toContain("LICENSE");
    expect(code).toBe(0);
  });

  test("the guide to OpenTelemetry shows what its example sends", async () => {
    const [, shown = ""] = /^```text\n(trip-planner[^]*?)^```$/m.exec(readPage("docs/guides/opentelemetry.md")) ?? [];
    const { output } = await runExample("23-opentelemetry.ts");
    expect(withoutFigures(shown)).toMatch(/^invoke_agent planner # # in # out # pending: book_tickets$/m);
    expect(withoutFigures(output)).toContain(withoutFigures(shown));
  });

  test("a misspelled option is an error that shows the usage", async () => {
    const { code, output } = await runExample(QUICKSTART, "--modle", "x");
    expect(code).toBe(2);
    expect(output).toBe("npm start: Unknown option '--modle'.\nTry: npm start -- --help\n");
  });
});

/** A drawn trace without ids, durations, tokens and cost, which change from run to run. */
function withoutFigures(text: string): string {
  return text
    .replaceAll(/(trace|continues) [\da-f]{8}/g, "$1 #")
    .replaceAll(/ \$?\d+(?:\.\d+)?(?: m?s\b)?/g, " #")
    .replaceAll(/ +/g, " ");
}
