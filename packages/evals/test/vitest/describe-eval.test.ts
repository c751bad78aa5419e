import { Agent } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { defineEval, matches } from "../../src/index.ts";
import { describeEval } from "../../src/vitest/index.ts";

const asked: string[] = [];

const suite = defineEval("greetings", {
  agent: () => {
    const model = new ScriptedModel(({ contents }) => {
      asked.push(contents[0]?.parts[0]?.text ?? "");
      return say("Hello!");
    });
    return new Agent({ model });
  },
  trials: 2,
  concurrency: 1,
  scorers: [matches(/Hello/)],
  data: () => [
    { id: "hi", input: "Hi!", tags: ["short"] },
    { id: "morning", input: "Good morning!" },
  ],
});

// Its tests are these.
describeEval(suite);
describeEval(suite, { filter: { tags: ["short"] }, trials: 3 });

describe("describeEval", () => {
  test("makes the trials of a suite once, for all of its tests", () => {
    expect(asked).toEqual(["Hi!", "Good morning!", "Hi!", "Good morning!", "Hi!", "Hi!", "Hi!"]);
  });
});
