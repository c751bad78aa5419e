import { describe, expect, test } from "vitest";
import { findKnownModel } from "@pollux/core/wire";
import { createEmulator } from "../../src/index.ts";
import { improvise } from "../../src/improvise.ts";
import { ask, unary } from "../support.ts";
import { closestModel } from "../../src/catalog/closest-model.ts";
import { ALIASES, findModel, MODELS } from "../../src/catalog/models.ts";

describe("the catalog", () => {
  test("has each id once, and aliases that lead to models", () => {
    const ids = MODELS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.entries(ALIASES).filter(([alias, id]) => ids.includes(alias) || !ids.includes(id))).toEqual([]);
    expect(findModel("constructor")).toBeUndefined();
  });

  test("names a default among the levels of every model with levels", () => {
    const leveled = MODELS.filter(({ thinking }) => thinking.kind === "level");
    expect(leveled.filter(({ thinking }) => !thinking.levels.includes(thinking.defaultLevel ?? ""))).toEqual([]);
    expect(MODELS.filter(({ thinking }) => thinking.kind !== "level" && thinking.levels.length > 0)).toEqual([]);
  });

  test.each([
    ["gemini-3-pro-preview", "LOW HIGH", "HIGH"],
    ["gemini-3.1-pro-preview", "LOW MEDIUM HIGH", "HIGH"],
    ["gemini-3-flash-preview", "MINIMAL LOW MEDIUM HIGH", "HIGH"],
    ["gemini-3.1-flash-lite", "MINIMAL LOW MEDIUM HIGH", "MINIMAL"],
    ["gemini-3.5-flash", "MINIMAL LOW MEDIUM HIGH", "MEDIUM"],
    ["gemini-3.5-flash-lite", "MINIMAL LOW MEDIUM HIGH", "MINIMAL"],
    ["gemini-3.6-flash", "MINIMAL LOW MEDIUM HIGH", "MEDIUM"],
    ["gemini-3.7-flash", "LOW MEDIUM HIGH", "MEDIUM"],
    ["gemini-flash-latest", "LOW MEDIUM HIGH", "MEDIUM"],
    ["gemini-4-argon", "LOW MEDIUM HIGH", "MEDIUM"],
    ["gemini-4-hydrogen", "LOW MEDIUM HIGH XHIGH", "HIGH"],
    ["gemini-4-neon", "LOW MEDIUM HIGH XHIGH", "HIGH"],
    ["gemma-4-31b-it", "MINIMAL HIGH", "MINIMAL"],
  ])("%s thinks at %s, by default %s", (id, levels, defaultLevel) => {
    expect(findModel(id)?.thinking).toMatchObject({ kind: "level", levels: levels.split(" "), defaultLevel });
  });

  test.each([
    ["gemini-2.5-pro", { min: 128, max: 32_768, zero: false }],
    ["gemini-2.5-flash", { min: 0, max: 24_576, zero: true }],
    ["gemini-2.5-flash-lite", { min: 512, max: 24_576, zero: true }],
    ["gemini-3.6-flash", { min: 1, max: 65_535, zero: false }],
    ["gemini-3.8-flash", { min: 1, max: 65_535, zero: true }],
    ["gemini-4-argon", undefined],
  ])("%s takes budgets %o", (id, budget) => {
    expect(findModel(id)?.thinking.budget).toEqual(budget);
  });

  test.each(MODELS.filter(({ generates }) => generates))("has $id as the client knows it", (model) => {
    const known = findKnownModel(model.id);
    if (known === undefined) throw new Error("the client does not know it");
    const {
      thinking,
      thinkingLevels: _1,
      defaultLevel: _2,
      thinkingBudget: _3,
      outputWithFunctions,
      systemInstruction,
      ...shared
    } = known;
    expect(model).toMatchObject(shared);
    // The service has been seen to accept more than the client asks for.
    expect([outputWithFunctions, true]).toContain(model.outputWithFunctions);
    expect([systemInstruction, true]).toContain(model.systemInstruction);
    if (model.id.includes("thinking-exp")) return;
    const { kind, levels, budget } = model.thinking;
    expect([kind, levels, model.thinking.defaultLevel]).toEqual([
      thinking,
      known.thinkingLevels.map((level) => level.toUpperCase()),
      known.defaultLevel?.toUpperCase(),
    ]);
    if (kind === "budget") expect({ ...budget, min: known.thinkingBudget?.min }).toEqual(known.thinkingBudget);
  });

  test.each([
    ["gemini-3.5-flash", "gemini-3.6-flash"],
    ["gemini-3.7-flash", "gemini-3.8-flash"],
    ["gemini-3.6-flash", "gemini-3.6-flash"],
  ])("%s is answered by %s", async (id, modelVersion) => {
    expect(await unary(createEmulator({ brain: improvise() }), ask("Hi."), id)).toMatchObject({ modelVersion });
  });

  test("knows which models continue a model turn and which require signatures", () => {
    const prefill = MODELS.filter(
      (model) => model.generation >= 3 && model.functions && model.prefill && !model.imageOutput,
    );
    expect(prefill.map(({ id }) => id)).toEqual([
      "gemini-3-pro-preview",
      "gemini-3-flash-preview",
      "gemini-3.1-pro-preview",
      "gemini-3.1-pro-preview-customtools",
      "gemini-3.1-flash-lite",
      "gemini-3.5-flash",
      "gemini-robotics-er-1.6-preview",
      "gemini-robotics-er-2-preview",
      "gemma-4-26b-a4b-it",
      "gemma-4-31b-it",
    ]);
    const signing = MODELS.filter(({ signaturesRequired }) => signaturesRequired).map(({ family }) => family);
    expect(new Set(signing)).toEqual(new Set(["gemini-3", "gemini-4"]));
  });

  test.each([
    ["gemini-3.9-flash", "gemini-3.8-flash", 3.9],
    ["gemini-5-xenon", "gemini-4-argon", 5],
    ["gemini-4-hydrogen-preview", "gemini-4-hydrogen", 4],
    ["gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash", 2.5],
    ["gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5-flash-lite", 2.5],
    ["gemini-2.0-pro-exp-02-05", "gemini-2.0-flash", 2],
    ["gemini-1.0-pro-002", "gemini-1.5-pro", 1],
    ["gemma-3-27b-it", "gemma-4-26b-a4b-it", 3],
    ["my-model", "gemini-3.8-flash", 3.8],
  ])("%s, which the catalog lacks, behaves like %s", (id, like, generation) => {
    expect(closestModel(id)).toEqual({ ...findModel(like), id, generation });
  });
});
