import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult, EvalRun, ScoreResult, TrialResult } from "@pollux/evals";

/** Options of a run. */
export interface EvalRunOptions {
  /** When it started: the nth quarter of an hour of a day. */
  readonly n: number;
  /** Passed trials out of five, by case. */
  readonly passed: { readonly [caseId: string]: number };
  /** Session of a trial, if any. */
  readonly sessionOf?: ((caseId: string, number: number) => string | undefined) | undefined;
  readonly changes?: Partial<EvalRun> | undefined;
}

const START = Date.UTC(2026, 10, 24, 8);
const TRIALS = 5;

/** A run of a suite "support", as `pollux eval` writes it. */
export function evalRun({ n, passed, sessionOf = () => undefined, changes = {} }: EvalRunOptions): EvalRun {
  const at = START + n * 900_000;
  const ids = Object.keys(passed);
  const cases = ids.map((id): CaseResult => {
    const trials = Array.from({ length: TRIALS }, (_, index) =>
      trialOf(index + 1, index < TRIALS - (passed[id] ?? 0), sessionOf(id, index + 1)),
    );
    return { id, key: `key-${id}`, world: "live", tags: ["orders"], trials, planned: TRIALS };
  });
  const share = Object.values(passed).reduce((sum, one) => sum + one, 0) / (TRIALS * ids.length);
  const broken = ids.filter((id) => passed[id] === 0);
  return {
    v: 1,
    id: `run-${String(n).padStart(4, "0")}`,
    suite: "support",
    at,
    ms: 42_000,
    version: { tree: `7ee0${n}aa0000`, commit: `c0ffee${n}0`, hasChanges: n % 2 === 1 },
    models: [{ id: "gemini-3.8-flash", version: "gemini-3.8-flash-002" }],
    cases,
    passed: { share, low: Math.max(0, share - 0.12), high: Math.min(1, share + 0.08) },
    verdict: {
      outcome: broken.length > 0 ? "worse" : "not-worse",
      text:
        broken.length > 0
          ? `Worse: ${broken.join(", ")} broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.`
          : "No difference seen; a drop below 15 points may stay unseen.",
      metrics: [
        {
          name: "passed",
          now: share,
          before: 0.93,
          difference: { value: share - 0.93, low: share - 1, high: share - 0.86 },
          p: broken.length > 0 ? 0.0004 : 0.4,
          isWorse: broken.length > 0,
          isGated: true,
        },
        {
          name: "cost",
          now: 0.0021,
          before: 0.002,
          difference: { value: 0.0001, low: -0.0002, high: 0.0004 },
          p: 0.3,
          isWorse: false,
          isGated: false,
        },
      ],
      broken: broken.map((id) => ({ id, passed: [0, 5], before: [15, 15] })),
      before: Object.fromEntries(ids.map((id) => [id, [15, 15]])),
      flaky: ids.filter((id) => passed[id] !== 0 && passed[id] !== TRIALS),
      added: [],
      missing: [],
      seenDrop: 0.15,
    },
    cost: { agent: 0.12, judges: 0.02, users: 0, total: 0.14, unpriced: 0 },
    notFixed: ["googleSearch"],
    notes: ["The tool get_order ran for real."],
    ...changes,
  };
}

function trialOf(number: number, isFailed: boolean, sessionId: string | undefined): TrialResult {
  const judged: ScoreResult = {
    name: "what happens next",
    score: isFailed ? 0.25 : 1,
    threshold: 0.5,
    reason: isFailed ? "The customer is not told when the money arrives." : "It names the day.",
  };
  return {
    number,
    status: isFailed ? "failed" : "passed",
    scores: [
      { name: "called refund", score: isFailed ? 0 : 1, threshold: 1 },
      judged,
      { ...judged, name: "tone", score: null, isAdvisory: true },
    ],
    metrics: {
      cost: 0.0021,
      durationMs: 2300,
      turns: 2,
      calls: 1,
      inputTokens: 1200,
      outputTokens: 80,
      cachedTokens: 900,
    },
    stopReason: "finished",
    answer: isFailed ? "I cannot do that." : "Your refund arrives on Friday.",
    ...(sessionId !== undefined && { sessionId }),
  };
}

/** Writes a run to the folder of `pollux eval`. */
export async function writeRun(folder: string, run: EvalRun): Promise<void> {
  await mkdir(join(folder, run.suite), { recursive: true });
  await writeFile(join(folder, run.suite, `${run.id.replaceAll(":", "-")}.json`), JSON.stringify(run));
}
