import { describe, expect, test } from "vitest";
import { baselineOf } from "../../src/gate/baseline.ts";
import { exitCode, isDecided, judgeRun } from "../../src/gate/judge-run.ts";
import type { CaseResult, EvalRun, TrialResult, Verdict } from "../../src/report/eval-run.ts";
import { caseOf, runOf, trial } from "./support.ts";

const IDS = "refund late unknown injection status address policy crack hello curt order-9 order-31".split(" ");

/** Twelve cases with 15 trials, 168 of 180 passed; `policy` always. */
const before = baselineOf(runOf(IDS.map((id) => caseOf(id, id === "policy" ? 15 : 14, 15))));

/** Five trials each, all passed but those of some cases. */
function now(passed: { readonly [id: string]: number } = {}, options?: Partial<EvalRun>): Omit<EvalRun, "verdict"> {
  return runOf(
    IDS.map((id) => caseOf(id, passed[id] ?? 5, 5)),
    options,
  );
}

/** The first `count` trials of all cases end with an error. */
function withErrors(run: Omit<EvalRun, "verdict">, count: number): Omit<EvalRun, "verdict"> {
  let left = count;
  const fail = (one: TrialResult): TrialResult => (left-- > 0 ? { ...one, status: "error", why: "503" } : one);
  return { ...run, cases: run.cases.map((result) => ({ ...result, trials: result.trials.map(fail) })) };
}

/** Trials with a metric and a score, in addition. */
function measured(result: CaseResult, cost: (index: number) => number, cites: (index: number) => number): CaseResult {
  const trials = result.trials.map((one, index) => ({
    ...one,
    metrics: { cost: cost(index) },
    scores: [{ name: "cites", score: cites(index), threshold: 0.5 }],
  }));
  return { ...result, trials };
}

describe("a run is worse", () => {
  test("when fewer trials pass, and says which case broke, before and after", () => {
    const verdict = judgeRun(now({ policy: 0, refund: 3, late: 3, unknown: 4, crack: 2, status: 3 }), before);
    expect(verdict).toEqual({
      outcome: "worse",
      text: "Worse: 75% pass, 94% before; `policy` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.",
      metrics: [
        {
          name: "passed",
          now: 0.75,
          before: expect.closeTo(169 / 180, 10),
          difference: {
            value: expect.closeTo(0.75 - 169 / 180, 10),
            low: expect.closeTo(-0.31408, 5),
            high: expect.closeTo(-0.08627, 5),
          },
          p: expect.closeTo(0.00009416, 8),
          isWorse: true,
          isGated: true,
        },
      ],
      broken: [{ id: "policy", passed: [0, 5], before: [15, 15] }],
      before: Object.fromEntries(IDS.map((id) => [id, [id === "policy" ? 15 : 14, 15]])),
      flaky: ["refund", "late", "unknown", "status", "crack"],
      added: [],
      missing: [],
      seenDrop: 0.13,
    } satisfies Verdict);
    expect(exitCode(verdict)).toBe(1);
  });

  test("when one case broke and all others are as before", () => {
    const verdict = judgeRun(now({ policy: 0 }), before);
    expect(verdict).toMatchObject({ outcome: "worse", metrics: [{ isWorse: false }], broken: [{ id: "policy" }] });
    expect(verdict.text).toBe(
      "Worse: 92% pass, 94% before; `policy` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.",
    );
  });

  test("and names each case that broke, at the level that Holm's correction leaves once all else is worse", () => {
    const verdict = judgeRun(now({ policy: 0, refund: 1 }), before);
    // 12 times 38.5 of 15,504 ways: 3%.
    expect(verdict).toMatchObject({ metrics: [{ isWorse: true }], broken: [{ id: "refund" }, { id: "policy" }] });
  });

  test("when all cases are a little worse and none broke", () => {
    const verdict = judgeRun(now(Object.fromEntries(IDS.map((id) => [id, 4]))), before);
    expect(verdict).toMatchObject({ outcome: "worse", broken: [] });
    expect(verdict.text).toBe("Worse: 80% pass, 94% before. 1 of 20 unchanged runs causes a false alarm.");
  });

  test("when a replay differs, also without a baseline", () => {
    const replays = [caseOf("order-9", 0, 1, { world: "replay" }), caseOf("order-31", 1, 1, { world: "replay" })];
    expect(judgeRun(runOf(replays), undefined)).toMatchObject({
      outcome: "worse",
      text: "Worse: the replay of `order-9` differs.",
    });
  });

  test("when trials are missing that could not have helped", () => {
    const run = now(Object.fromEntries(IDS.map((id) => [id, 0])));
    const short = { ...run, cases: run.cases.map((result) => ({ ...result, trials: result.trials.slice(0, 4) })) };
    expect(judgeRun({ ...short, stopped: "it is decided" }, before)).toMatchObject({
      outcome: "worse",
      text: expect.stringContaining("Not everything is known: 12 of 60 trials are missing, since it is decided."),
    });
  });
});

describe("metrics", () => {
  const build = (count: number, cost: (index: number) => number, cites: (index: number) => number): CaseResult[] =>
    IDS.map((id) => measured(caseOf(id, count, count), cost, cites));
  const baseline = baselineOf(
    runOf(
      build(
        15,
        (index) => 0.002 + index / 1e4,
        (index) => 0.9 + (index % 3) / 30,
      ),
    ),
  );

  test("that are gated make a run worse: costs that rise, scores that fall", () => {
    const run = runOf(
      build(
        5,
        (index) => 0.004 + index / 1e4,
        (index) => 0.6 + index / 30,
      ),
    );
    const verdict = judgeRun(run, baseline, { metrics: ["passed", "cost", "cites"] });
    expect(verdict.outcome).toBe("worse");
    expect(verdict.metrics.map(({ name, isWorse, isGated }) => [name, isWorse, isGated])).toEqual([
      ["passed", false, true],
      ["cost", true, true],
      ["cites", true, true],
    ]);
    expect(verdict.text).toBe(
      "Worse: `cost` is 0.0042, was 0.0027; `cites` is 0.667, was 0.933. 1 of 20 unchanged runs causes a false alarm.",
    );
    expect(verdict.metrics[1]?.difference).toEqual({
      value: expect.closeTo(0.0015, 10),
      low: expect.closeTo(0.00142295, 8),
      high: expect.closeTo(0.00157705, 8),
    });
  });

  test("of cost are compared by factors: one dear case that varies does not hide that others doubled", () => {
    const dear = (count: number): CaseResult =>
      measured(
        caseOf("dear", count, count),
        (index) => [1, 9, 4][index % 3] ?? 1,
        () => 1,
      );
    const cheap = (count: number, cost: number): CaseResult[] =>
      IDS.map((id) =>
        measured(
          caseOf(id, count, count),
          (index) => cost + index / 1e5,
          () => 1,
        ),
      );
    const verdict = judgeRun(runOf([dear(5), ...cheap(5, 0.002)]), baselineOf(runOf([dear(15), ...cheap(15, 0.001)])), {
      metrics: ["cost"],
    });
    expect(verdict).toMatchObject({ outcome: "worse", metrics: [{}, { name: "cost", p: 0.0001 }, {}] });
  });

  test("that are not gated are compared, and make nothing red", () => {
    const run = runOf(
      build(
        5,
        (index) => 0.004 + index / 1e4,
        () => 0.95,
      ),
    );
    const verdict = judgeRun(run, baseline);
    expect(verdict.outcome).toBe("not-worse");
    expect(verdict.metrics[1]).toMatchObject({ name: "cost", p: 0.001, isWorse: false, isGated: false });
  });

  test("that got better are not worse: costs that fall, scores that rise", () => {
    const run = runOf(
      build(
        5,
        () => 0.001,
        () => 1,
      ),
    );
    expect(judgeRun(run, baseline, { metrics: ["passed", "cost", "cites"] }).outcome).toBe("not-worse");
  });

  test("of more cached tokens are better, of fewer worse", () => {
    const cached = (count: number, tokens: number): CaseResult[] =>
      IDS.map((id) => ({
        ...caseOf(id, count, count),
        trials: Array.from({ length: count }, (_, index) =>
          trial({ number: index + 1, metrics: { cachedTokens: tokens + index } }),
        ),
      }));
    const gate = { metrics: ["cachedTokens"] };
    const outcome = (tokens: number): string =>
      judgeRun(runOf(cached(5, tokens)), baselineOf(runOf(cached(15, 1000))), gate).outcome;
    expect([outcome(0), outcome(2000)]).toEqual(["worse", "not-worse"]);
  });

  test("that are gated and unknown on one side make the run incomplete", () => {
    expect(judgeRun(now(), before, { metrics: ["passed", "cost"] })).toMatchObject({
      outcome: "incomplete",
      text: "Incomplete: `cost` is gated, and unknown on one side.",
    });
  });

  test("of a judge that only advises are never gated", () => {
    const advise = (result: CaseResult): CaseResult => ({
      ...result,
      trials: result.trials.map((one) => ({
        ...one,
        scores: one.scores.map((score) => ({ ...score, isAdvisory: true })),
      })),
    });
    const run = runOf(
      build(
        5,
        (index) => 0.002 + index / 1e4,
        () => 0,
      ).map(advise),
    );
    const verdict = judgeRun(run, baseline, { metrics: ["passed", "cites"] });
    expect(verdict).toMatchObject({
      outcome: "not-worse",
      metrics: [{}, {}, { name: "cites", isGated: false, isWorse: false }],
    });
  });
});

describe("a run is not worse", () => {
  test("when no difference is seen, and says what may stay unseen", () => {
    const verdict = judgeRun(now({ refund: 4, hello: 4, curt: 4, status: 4 }), before);
    expect(verdict).toMatchObject({
      outcome: "not-worse",
      flaky: ["refund", "status", "hello", "curt"],
      seenDrop: 0.13,
    });
    expect(verdict.text).toBe("No difference seen; a drop below 13 points may stay unseen.");
    expect(exitCode(verdict)).toBe(0);
  });

  test("when it is better", () => {
    expect(judgeRun(now(), before).text).toBe("Better: 100% pass, 94% before.");
  });

  test("when all replays are the same", () => {
    const replays = [caseOf("order-9", 1, 1, { world: "replay" }), caseOf("order-31", 1, 1, { world: "replay" })];
    const verdict = judgeRun(runOf(replays), undefined);
    expect([verdict.outcome, verdict.text]).toEqual(["not-worse", "All 2 replays are the same."]);
  });

  test("says so when nothing could be seen at all", () => {
    const tiny = baselineOf(runOf([caseOf("one", 1, 1)]));
    expect(judgeRun(runOf([caseOf("one", 1, 1)]), tiny).text).toBe(
      "No difference seen; even a drop to 0% may stay unseen.",
    );
  });
});

describe("what is compared", () => {
  test("cases with another key or world are new, and cases that were not run are missing", () => {
    const run = now({ policy: 0, crack: 0 });
    const cases = run.cases
      .filter(({ id }) => id !== "hello")
      .map((result) => (result.id === "policy" ? { ...result, key: "k2" } : result))
      .map((result) => (result.id === "crack" ? { ...result, world: "fork" as const } : result));
    const verdict = judgeRun({ ...run, cases }, before);
    expect(verdict).toMatchObject({ added: ["policy", "crack"], missing: ["hello"], broken: [] });
    expect(verdict.text).toMatch(/ Cases not compared: 2 without a baseline, 1 of the baseline not run\.$/);
    expect(Object.keys(verdict.before ?? {})).toHaveLength(9);
  });

  test("without a baseline the share is said with its interval", () => {
    const verdict = judgeRun(now({ policy: 0 }), undefined);
    expect(verdict).toMatchObject({ outcome: "no-baseline", added: IDS, missing: [], metrics: [] });
    expect(verdict).not.toHaveProperty("before");
    expect(verdict.text).toBe("No baseline: 92% pass (82 to 96% on these cases).");
    expect(exitCode(verdict)).toBe(0);
  });

  test("with a baseline of other cases there is nothing to compare", () => {
    const other = baselineOf(runOf([caseOf("other", 1, 1)]));
    expect(judgeRun(now(), other)).toMatchObject({
      outcome: "no-baseline",
      text: "No case has a baseline: 100% pass (94 to 100% on these cases).",
    });
  });

  test("a new version of the service's model is said first, another model is not", () => {
    const newer = now({}, { models: [{ id: "gemini-3.8-flash", version: "gemini-3.8-flash-003" }] });
    expect(judgeRun(newer, before).text).toBe(
      "The service's model has changed: gemini-3.8-flash-003, was gemini-3.8-flash-002. Better: 100% pass, 94% before.",
    );
    expect(judgeRun(now({}, { models: [{ id: "gemini-3.8-pro", version: "1" }] }), before).text).toMatch(/^Better/);
  });
});

describe("a run is incomplete", () => {
  test("when more trials ended with an error than the gate allows; those count as not passed", () => {
    const verdict = judgeRun(withErrors(now(), 4), before);
    expect(verdict).toMatchObject({
      outcome: "incomplete",
      text: "Incomplete: 4 of 60 trials ended with an error, more than 5%.",
      metrics: [{ now: expect.closeTo(56 / 60, 10) }],
    });
    expect(exitCode(verdict)).toBe(3);
    expect(judgeRun(withErrors(now(), 3), before)).toMatchObject({
      outcome: "not-worse",
      metrics: [{ now: expect.closeTo(57 / 60, 10) }],
    });
    expect(judgeRun(withErrors(now(), 4), before, { errors: 0.1 }).outcome).toBe("not-worse");
  });

  test("when errors alone would make it worse", () => {
    expect(judgeRun(withErrors(now(), 30), before).outcome).toBe("incomplete");
  });

  test("when trials are missing, with why, also without a baseline", () => {
    const run = now();
    const short = { ...run, cases: run.cases.map((result) => ({ ...result, planned: 6 })) };
    expect(judgeRun({ ...short, stopped: "the budget is spent" }, before)).toMatchObject({
      outcome: "incomplete",
      text: "Incomplete: 12 of 72 trials are missing, since the budget is spent.",
    });
    expect(judgeRun(short, undefined).text).toBe("Incomplete: 12 of 72 trials are missing.");
  });

  test("when no case was tried, or a replay could not be compared", () => {
    const replay = caseOf("order-9", 0, 1, { world: "replay", trials: [trial({ status: "invalid" })] });
    expect(judgeRun(runOf([]), before).text).toMatch(/^Incomplete: no case was tried\./);
    expect(judgeRun(runOf([replay]), undefined).text).toBe(
      "Incomplete: the replay of `order-9` could not be compared.",
    );
  });
});

describe("a run is decided", () => {
  const part = (passed: number, tried: number): Omit<EvalRun, "verdict"> =>
    runOf(IDS.map((id) => caseOf(id, passed, tried, { planned: 5 })));

  test("once it is worse even if all other trials passed", () => {
    expect([isDecided(part(0, 3), before), isDecided(part(0, 2), before), isDecided(part(1, 1), before)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isDecided(part(0, 1), before)).toBe(
      judgeRun(now(Object.fromEntries(IDS.map((id) => [id, 4]))), before).outcome === "worse",
    );
  });

  test("with cases in mind that were not tried at all yet", () => {
    const run = part(0, 1);
    const halves = {
      ...run,
      cases: run.cases.map((result, index) => (index < 6 ? result : { ...result, trials: [] })),
    };
    const few = { ...run, cases: run.cases.slice(0, 6).map((result) => ({ ...result, planned: 1 })) };
    expect([isDecided(few, before), isDecided(halves, before)]).toEqual([true, false]);
  });

  test("once a replay differs", () => {
    const replay = caseOf("order-9", 0, 1, { world: "replay" });
    expect(isDecided(runOf([replay, caseOf("late", 0, 0, { planned: 5 })]), undefined)).toBe(true);
  });

  test("never by errors, nor as not worse", () => {
    expect(isDecided(withErrors(part(0, 3), 36), before)).toBe(false);
    expect(isDecided(now(), before)).toBe(false);
    expect(isDecided(part(0, 3), undefined)).toBe(false);
  });
});
