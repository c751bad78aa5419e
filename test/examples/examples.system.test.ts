import { describe, expect, test } from "vitest";
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

  test("a misspelt option is an error that shows the usage", async () => {
    const { code, output } = await runExample(QUICKSTART, "--modle", "x");
    expect(code).toBe(2);
    expect(output).toBe("npm start: Unknown option '--modle'.\nTry: npm start -- --help\n");
  });
});
