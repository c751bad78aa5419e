import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readmePrograms } from "../../../test/support/readme-programs.ts";

const programs = readmePrograms("packages/interactions");

// That it compiles: `test/docs/readmes.system.test.ts`.
describe("the program of the README", () => {
  const emulator = createEmulator({ brain: improvise() });
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;

  beforeAll(async () => {
    gemini = await emulator.listen();
    programs.write();
  });

  afterAll(async () => {
    await gemini?.close();
    programs.remove();
  });

  test("prints the answer", async () => {
    expect(programs.count).toBe(1);
    expect(await programs.run(0, { GOOGLE_GEMINI_BASE_URL: gemini.url })).toMatch(/\(This is the local emulator/);
  });
});
