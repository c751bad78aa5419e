import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { expectPrints, folder, PRINTS, QUICKSTART } from "./run-example.ts";

// The system tests execute the other examples.
test("the quickstart runs against the emulator and prints what it is for", async () => {
  await expectPrints(QUICKSTART);
});

test("every example is in the table of what examples print", () => {
  const programs = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  expect(programs.toSorted()).toEqual(Object.keys(PRINTS).toSorted());
});
