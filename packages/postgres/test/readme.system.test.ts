import { readFileSync } from "node:fs";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readmePrograms } from "../../../test/support/readme-programs.ts";
import { type DebianPostgres, HAS_POSTGRES, startDebian } from "./support/debian-postgres.ts";

const programs = readmePrograms("packages/postgres");

// That they compile: `test/docs/readmes.system.test.ts`.
describe.runIf(HAS_POSTGRES)("the programs of the README", () => {
  const emulator = createEmulator({ brain: improvise() });
  let gemini: Awaited<ReturnType<typeof emulator.listen>>;
  let postgres: DebianPostgres;

  beforeAll(async () => {
    [gemini, postgres] = await Promise.all([emulator.listen(), startDebian()]);
    programs.write();
  });

  afterAll(async () => {
    await postgres?.close();
    await gemini?.close();
    programs.remove();
  });

  test("run, one after the other", async () => {
    expect(programs.count).toBe(4);
    const env = {
      DATABASE_URL: postgres.url,
      ADMIN_DATABASE_URL: postgres.url,
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      GEMINI_API_KEY: "not-used",
    };
    expect(await programs.run(0, env)).toMatch(/.+\nuser-42\/order-17 Where is my order\? idle\n$/);
    expect(await programs.run(1, env)).toBe("[]\n");
    expect(await programs.run(2, env)).toBe("");
    expect(await programs.run(3, env)).toBe("");
    const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const [, statement = ""] = /^```sql\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const rows = await postgres.ask(statement);
    expect(rows.map((row) => Object.values(row)[1])).toEqual(["info", "run", "step", "end"]);
  });
});
