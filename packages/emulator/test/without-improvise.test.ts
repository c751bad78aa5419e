import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createEmulator } from "../src/index.ts";
import { ask, post } from "./support.ts";

/** The files that a file imports, including itself. */
function filesOf(file: URL, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file.href)) return found;
  found.add(file.href);
  const imports = readFileSync(file, "utf8").matchAll(/(?:^|\n)(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/g);
  for (const [, path = ""] of imports) filesOf(new URL(path, file), found);
  return found;
}

test("the emulator does not load improvise", () => {
  const files = [...filesOf(new URL("../src/index.ts", import.meta.url))];
  expect(files.length).toBeGreaterThan(80);
  expect(files.filter((file) => file.includes("improvise"))).toEqual([]);
});

test("without a brain, it refuses to answer, says how to give it one, and serves everything else", async () => {
  const emulator = createEmulator();
  const refused = await post(emulator, "generateContent", ask("Hello"));
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringMatching(/createEmulator\(\{ brain: improvise\(\) \}\).*@pollux\/emulator\/improvise/),
  ]);
  expect((await post(emulator, "countTokens", ask("Hello"))).status).toBe(200);
});
