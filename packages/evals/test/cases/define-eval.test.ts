import { Agent } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import { defineEval, type EvalSuiteOptions, type SessionCase } from "../../src/index.ts";
import { describe, expect, test } from "vitest";

const agent = new Agent({ model: new ScriptedModel() });
const data = [{ id: "hello", input: "Hi!" }];
const recorded: SessionCase = { id: "order", recording: { log: [], exchanges: [] }, runId: "r" };

describe("defineEval", () => {
  test("gives the suite, its options as they are", () => {
    const options: EvalSuiteOptions = { agent, data, trials: 3, gate: { metrics: ["passed", "cost"], budget: 2 } };

    expect(defineEval("support", options)).toEqual({ kind: "eval-suite", name: "support", ...options });
  });

  test.each<[string, object, string]>([
    ["an option that does not exist", { scorer: [] }, 'there is no option "scorer"; did you mean "scorers"?'],
    ["another library's word", { epochs: 5 }, 'there is no option "epochs": use trials'],
    ["no agent", { agent: undefined }, "agent must be an agent, or a function that makes one, got undefined"],
    ["data that is no list", { data: "x" }, 'data must be a list of cases, or a function that returns one, got "x"'],
    ["no trials", { trials: 0 }, "trials must be a whole number from 1 on, got 0"],
    [
      "a world that does not exist",
      { world: "real" },
      'world must be "replay" or "recorded-tools" or "fork" or "live", got "real"',
    ],
    ["a stand-in that is no function", { standIn: { refund: 1 } }, "standIn.refund must be a function, got 1"],
    [
      "a tool that runs and does not",
      { standIn: { refund: () => "" }, allowEffects: ["refund"] },
      '"refund" is in both standIn and allowEffects: leave out one of them',
    ],
    [
      "variants of one agent",
      { variants: ["a", "b"] },
      "variants need an agent that is a function, such as ({ variant }) => new Agent(…)",
    ],
    ["variants of one name", { agent: () => agent, variants: ["a", "a"] }, "two variants have the same name"],
    [
      "a gate without metrics",
      { gate: { metrics: [] } },
      'gate.metrics is empty: name what fails a build, such as ["passed"]',
    ],
    ["a level that is none", { gate: { level: 5 } }, "gate.level is a share, such as 0.05, got 5"],
    ["a budget of nothing", { gate: { budget: 0 } }, "gate.budget must be more than 0, got 0"],
    ["a scorer that is none", { scorers: ["x"] }, 'scorers has "x", but a scorer is a function of a trial'],
  ])("rejects %s", (_, options, problem) => {
    expect(() => defineEval("support", { agent, data, ...options })).toThrow(`defineEval("support"): ${problem}`);
  });

  test.each<[string, object, string]>([
    ["without an id", { input: "x" }, 'the id of case 1 must have letters, digits, ".", "_" and "-", got undefined'],
    ["without an input", { id: "a" }, "it has no input"],
    ["without a message", { id: "a", input: { messages: [] } }, "it has no input"],
    ["with no input from a file", { id: "a", input: null }, "it has no input"],
    [
      "with a word of another library",
      { id: "a", input: "x", question: "y" },
      'there is no option "question": use input',
    ],
    ["with a scorer that is none", { id: "a", input: "x", scorers: [1] }, "scorers has 1, but a scorer is a function"],
    ["that is recorded, without scrub", recorded, "recorded cases need the suite's scrub"],
    ["with turns and no turn", { ...recorded, turns: 1 }, "turns needs turn: where the fork begins"],
  ])("rejects a case %s", (_, one, problem) => {
    // What a program without types may write.
    const given = [one] as unknown as typeof data;
    expect(() => defineEval("support", { agent, data: given })).toThrow(problem);
  });

  test("rejects a name that cannot be part of a file's", () => {
    expect(() => defineEval("a/b", { agent, data })).toThrow(
      'the name of a suite has letters, digits, ".", "_" and "-", got "a/b"',
    );
  });

  test("rejects two cases with the same id", () => {
    expect(() => defineEval("support", { agent, data: [...data, ...data] })).toThrow(
      'suite "support", case "hello": another case has the same id',
    );
  });
});
