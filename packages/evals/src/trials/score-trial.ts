import { nameOf, scorerKey } from "../cases/case-key.ts";
import type { ScoreResult } from "../report/eval-run.ts";
import type { Score, Scorer, Trial } from "./trial.ts";

/** What scorers say about a trial. */
export interface ScoredTrial {
  readonly status: "passed" | "failed" | "invalid";
  /** Why it is invalid. */
  readonly why?: string | undefined;
  readonly scores: readonly ScoreResult[];
  /** Cost of the judges that were asked now. */
  readonly cost: number;
  /** Whether all of that is known. */
  readonly isPriced: boolean;
  /** Scores by judges, by their key, so that no judge is asked again. Absent when none was asked now. */
  readonly paid?: { readonly [key: string]: ScoreResult } | undefined;
}

/** Scores a trial. Never rejects, except with the signal's reason when that aborts. */
export async function scoreTrial<Expected>(
  trial: Trial<Expected>,
  scorers: readonly Scorer<Expected>[],
  paidBefore: { readonly [key: string]: ScoreResult } = {},
): Promise<ScoredTrial> {
  const paid: { [key: string]: ScoreResult } = { ...paidBefore };
  let cost = 0;
  const judged: string[] = [];
  const unpriced: string[] = [];
  const scores = await Promise.all(
    scorers.map(async (scorer): Promise<ScoreResult> => {
      const key = scorerKey(scorer);
      const limits = { threshold: scorer.threshold ?? 1, ...(scorer.isAdvisory === true && { isAdvisory: true }) };
      const before = Object.hasOwn(paidBefore, key) ? paidBefore[key] : undefined;
      if (before !== undefined) return { ...before, ...limits };
      const { cost: reported, ...scored } = await askScorer(scorer, trial);
      const result = { ...scored, ...limits };
      const spent = reported ?? 0;
      cost += spent;
      // A judge without prices may answer differently when it is asked again.
      const isJudge = spent > 0 || scorer.prepare !== undefined;
      if (isJudge) judged.push(key);
      if (isJudge && reported === undefined && result.score !== null) unpriced.push(key);
      // A scorer without a key may share its source with another one.
      if (isJudge && scorer.key !== undefined && result.score !== null) paid[key] = result;
      return result;
    }),
  );
  trial.signal.throwIfAborted();
  const outcome = { scores, cost, isPriced: unpriced.length === 0, ...(judged.length > 0 && { paid }) };
  const deciding = scores.filter(({ isAdvisory = false }) => !isAdvisory);
  const undecided = deciding.find(({ score }) => score === null);
  if (undecided !== undefined) {
    const why = `${undecided.name} could not judge it${undecided.reason === undefined ? "" : `: ${undecided.reason}`}`;
    return { status: "invalid", why, ...outcome };
  }
  const isPassed = deciding.every(({ score, threshold }) => score !== null && score >= threshold);
  return { status: isPassed ? "passed" : "failed", ...outcome };
}

type ReadScore = Pick<ScoreResult, "name" | "score" | "reason"> & { readonly cost?: number | undefined };

async function askScorer<Expected>(scorer: Scorer<Expected>, trial: Trial<Expected>): Promise<ReadScore> {
  const name = nameOf(scorer);
  try {
    const result = await scorer(trial);
    if (typeof result === "boolean") return { name, score: result ? 1 : 0 };
    return result === null ? { name, score: null } : readScore(name, result);
  } catch (error) {
    const reason = `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    return { name, score: null, reason };
  }
}

/** Checks the result of a function that anybody may have written. */
function readScore(scorerName: string, given: Score): ReadScore {
  const { name = scorerName, score, metadata = {} } = Object(given) as Partial<Score>;
  const { reason, cost } = metadata;
  const paid = typeof cost === "number" && cost >= 0 ? cost : undefined;
  if (score !== null && !(typeof score === "number" && score >= 0 && score <= 1))
    return { name, score: null, reason: `its score is ${String(score)}, neither from 0 to 1 nor null`, cost: paid };
  return { name, score, ...(typeof reason === "string" && { reason }), cost: paid };
}
