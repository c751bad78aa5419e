import { type Agent, type Endpoint, type Json, type Model, type PriceTable, runSoFar } from "@pollux/core";
import { checkShare } from "../scorers/output.ts";
import { type NamedScorer, sourceOf } from "../scorers/scorer.ts";
import type { PrepareScorer, Score, Trial } from "../trials/trial.ts";
import { type Calibration, calibrate } from "./calibrate.ts";
import { type JudgeLabel, KeptScores, readLabels } from "./labels.ts";

/** Options of all judges. */
export interface LabelOptions {
  /** All that it sees of a trial. @defaultValue `{ input, answer }`, as texts; of a conversation, lists of them */
  readonly sees?: ((trial: Trial) => Json | undefined) | undefined;
  /**
   * A person's verdicts: a list, or a JSONL file of `{ "input": …, "answer": …, "label": true }`, relative to the suite's. What the judge says of
   * those in a file is kept beside it, as `*.scores.jsonl`. @defaultValue none: it only advises
   */
  readonly labels?: string | readonly JudgeLabel[] | undefined;
  /** From which score on it passes. @defaultValue from the labels; 0.5 without any */
  readonly threshold?: number | undefined;
  /** In reports, and as a metric. @defaultValue the question */
  readonly name?: string | undefined;
}

/** Options of judges that are agents. */
export interface JudgeOptions extends LabelOptions {
  /** Better another one than the agent's, which likes its own answers. */
  readonly model: string | Model;
  /** Of a model that is named by its id. @defaultValue the environment's */
  readonly endpoint?: Endpoint | undefined;
  /** For its cost, which is apart from the agent's. @defaultValue none: the cost is not known */
  readonly prices?: PriceTable | undefined;
}

/**
 * Scores by a model, and costs: in the `cost` of its metadata. It only advises, which means that it fails no trial, until it was compared with
 * enough labels; that changes its `key`.
 */
export interface Judge extends NamedScorer {
  /** Compares it with its labels, once. @throws {TypeError} For a line that is no label. */
  readonly prepare: (given: PrepareScorer) => Promise<{ readonly cost?: number | undefined }>;
  readonly threshold: number;
  readonly isAdvisory: boolean;
  /** Once it was prepared, with labels. */
  readonly calibration: Calibration | undefined;
}

/** What a judge says: null when it failed. */
export interface Judgement {
  readonly score: number | null;
  readonly reason: string;
  /** Absent when it is not known. */
  readonly cost?: number | undefined;
}

interface JudgeParts extends LabelOptions {
  /** Name of the function that makes it. */
  readonly by: string;
  readonly question: string;
  /** What else makes it another judge. */
  readonly identity: readonly unknown[];
  readonly ask: (seen: Json, signal: AbortSignal) => Promise<Judgement>;
}

/** Labels that are judged at the same time. */
const CONCURRENCY = 4;

/** @throws {TypeError} For a threshold outside of 0 to 1, or no question. */
export function makeJudge(parts: JudgeParts): Judge {
  const { by, question, identity, sees = seeAnswer, ask, labels, threshold, name = question } = parts;
  if (question.trim() === "") throw new TypeError(`${by}(): ask a question that a yes or a no answers`);
  if (threshold !== undefined) checkShare(`${by}(): the threshold`, threshold);
  const key = `${by}(${[question, ...identity, ...(sees === seeAnswer ? [] : [sees])].map(sourceOf).join(",")})`;
  let calibration: Calibration | undefined;
  let preparing: Promise<number | undefined> | undefined;

  const scorer = async (trial: Trial): Promise<Score> => {
    const seen = sees(trial);
    const judged = seen === undefined ? { score: null, reason: "there is nothing to see" } : await ask(seen, trial.signal);
    const { score, ...metadata } = judged;
    return { name, score, metadata };
  };

  const compare = async ({ folder, signal }: PrepareScorer): Promise<number | undefined> => {
    const views = labels === undefined ? [] : await readLabels(labels, folder);
    const kept = typeof labels === "string" ? await KeptScores.open(labels, folder, key) : undefined;
    const scores: (number | null | undefined)[] = views.map(({ seen }) => kept?.get(seen));
    const costs: (number | undefined)[] = [];
    const open = views.entries().filter(([index]) => scores[index] === undefined);
    const work = async (): Promise<void> => {
      for (const [index, { seen }] of open) {
        const { score, cost } = await ask(seen, signal);
        scores[index] = score;
        costs.push(cost);
        if (score !== null) await kept?.add(seen, score);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    const told = views.flatMap(({ label }, index) => (typeof scores[index] === "number" ? { label, score: scores[index] } : []));
    if (told.length > 0)
      calibration = calibrate(told.map(({ label }) => label), told.map(({ score }) => score), { threshold });
    return addCosts(costs);
  };

  const prepare = async (given: PrepareScorer): Promise<{ readonly cost?: number | undefined }> => {
    if (preparing !== undefined) {
      await preparing;
      return { cost: 0 };
    }
    preparing = compare(given);
    try {
      return { cost: await preparing };
    } catch (error) {
      preparing = undefined;
      throw error;
    }
  };

  const isAdvisory = (): boolean => calibration === undefined || calibration.problem !== undefined;
  const limit = (): number => calibration?.threshold ?? threshold ?? 0.5;
  return Object.defineProperties(Object.assign(scorer, { scorerName: name, prepare }), {
    calibration: { get: () => calibration, enumerable: true },
    isAdvisory: { get: isAdvisory, enumerable: true },
    threshold: { get: limit, enumerable: true },
    key: { get: () => `${key}${isAdvisory() ? "" : ` from ${limit().toFixed(2)}`}`, enumerable: true },
    // With the members above.
  }) as unknown as Judge;
}

/** What was said and answered, as texts. */
function seeAnswer({ input, text, results }: Trial): Json {
  return { input: readSaid(input), answer: results.length > 1 ? results.map((result) => result.text) : text };
}

/** The texts of a message, or of messages. */
export function readSaid(input: unknown): Json {
  if (typeof input === "string") return input;
  if (Array.isArray(input)) return input.length === 1 ? readSaid(input[0]) : input.map(readSaid);
  // Parts, contents and media are objects.
  const { text, parts, role } = (input ?? {}) as { text?: unknown; parts?: unknown; role?: unknown };
  if (parts !== undefined) return { ...(typeof role === "string" && { role }), parts: readSaid(parts) };
  return typeof text === "string" ? text : "(media)";
}

/** What an agent's typed answer is, or why there is none. Its own failures are no error: whoever waits for it is told. */
export async function askAgent<Answer>(
  agent: Agent,
  seen: Json,
  signal: AbortSignal,
): Promise<{ readonly answer?: Answer; readonly problem: string; readonly cost?: number | undefined }> {
  try {
    // JSON in a message is data, whatever it says.
    const result = await agent.run(JSON.stringify(seen), { signal });
    const { stopReason, cost } = result;
    if (stopReason !== "finished") return { problem: `the judge's run ended with "${stopReason}"`, cost };
    // Checked against the agent's schema.
    return { answer: result.output as unknown as Answer, problem: "", cost };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: `the judge failed: ${messageOf(error)}`, cost: runSoFar(error)?.cost };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Not known when one of them is not. */
export function addCosts(costs: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const cost of costs) {
    if (cost === undefined) return undefined;
    sum += cost;
  }
  return sum;
}
