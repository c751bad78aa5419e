import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findKnownModel, suggestModel } from "../../src/wire/known-models.ts";

const source = readFileSync(new URL("../../src/wire/known-models.ts", import.meta.url), "utf8");
const ids = Array.from(source.matchAll(/^const [A-Z]+ =\s+"(gem[\w. -]+)";$/gm), ([, text = ""]) =>
  text.split(" "),
).flat();

test("each id to choose from is known, and current", () => {
  expect(ids.length).toBeGreaterThan(15);
  expect(ids.filter((id) => findKnownModel(id) === undefined || findKnownModel(id)?.routedTo !== undefined)).toEqual(
    [],
  );
});

test("each is what a misspelled one means, and needs no suggestion itself", () => {
  for (const id of ids) {
    expect(suggestModel(id)).toBe("");
    expect(suggestModel(`models/${id}`)).toBe("");
    expect(suggestModel(id.replace("gem", "gme"))).toBe(` (did you mean "${id}"?)`);
  }
});

test.each(["", "my-model", "tunedModels/support-bot-3"])("nothing is suggested for %j", (id) => {
  expect(suggestModel(id)).toBe("");
});
