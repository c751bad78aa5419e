import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@pollux/core";
import { checkShare } from "../scorers/output.ts";
import { type NamedScorer, sourceOf } from "../scorers/scorer.ts";
import { percent } from "../statistics/rates.ts";
import type { PreparedScorer, PrepareScorer, Score, Trial } from "../trials/trial.ts";
import { type Calibration, calibrate } from "./calibrate.ts";
import { askOnce, type JudgeLabel, readLabels } from "./labels.ts";

/** Options of all judges. */
export interface LabelOptions {
  /** All that it sees of a trial; `undefined` makes the trial invalid. @defaultValue `{ input, answer }`: texts; of a conversation, lists of them */
  readonly sees?: ((trial: Trial) => JsonObject | undefined) | undefined;
  /**
   * A person's verdicts: a list, or a JSONL file of `{ "input": …, "answer": …, "label": true }`, relative to the
   * suite's folder, or its address, such as `new URL("next.jsonl", import.meta.url)`. The judge's scores for a file are
   * kept next to it, as `*.scores.jsonl`. @defaultValue none: it only advises
   */
  readonly labels?: string | URL | readonly JudgeLabel[] | undefined;
  /** Lowest score that passes. @defaultValue the best one by the labels; 0.5 without any */
  readonly threshold?: number | undefined;
  /** Name in reports, and of the metric. @defaultValue the question */
  readonly name?: string | undefined;
}

/**
 * Scores by a model. Metadata has its `reason` and, with prices, its `cost`. Until it has been compared with enough labels, it advises and fails no
 * trial.
 */
export interface Judge extends NamedScorer {
  /** Compares it with its labels, once. @throws {TypeError} For a line that is not a label. */
  readonly prepare: (given: PrepareScorer) => Promise<PreparedScorer>;
  readonly threshold: number;
  readonly isAdvisory: boolean;
  /** Present once it has been prepared, with labels. */
  readonly calibration: Calibration | undefined;
}

/** A judge's answer; the score is null when the judge failed. */
export interface Judgment {
  readonly score: number | null;
  readonly reason: string;
  /** Absent when it is not known. */
  readonly cost?: number | undefined;
}

interface JudgeParts extends LabelOptions {
  /** Name of the function that makes it. */
  readonly by: string;
  readonly question: string;
  /** What identifies the judge besides its question. */
  readonly identity: readonly unknown[];
  readonly ask: (seen: JsonObject, signal: AbortSignal) => Promise<Judgment>;
}

/** @throws {TypeError} Without a question, or for a threshold outside of 0 to 1. */
export function makeJudge(parts: JudgeParts): Judge {
  const { by, question, identity, sees = seeAnswer, ask, labels, threshold, name = question } = parts;
  if (question.trim() === "") throw new TypeError(`${by}(): ask a question that can be answered with yes or no`);
  if (threshold !== undefined) checkShare(`${by}(): the threshold`, threshold);
  const key = `${by}(${[question, ...identity].map(sourceOf).join(",")})`;
  let calibration: Calibration | undefined;
  let preparing: Promise<number | undefined> | undefined;

  const scorer = async (trial: Trial): Promise<Score> => {
    const seen = sees(trial);
    if (seen === undefined) return { name, score: null, metadata: { reason: "there is nothing to judge" } };
    const { score, ...metadata } = await ask(seen, trial.signal);
    return { name, score, metadata };
  };

  const compare = async ({ folder, signal }: PrepareScorer): Promise<number | undefined> => {
    const from =
      labels instanceof URL ? fileURLToPath(labels) : typeof labels === "string" ? resolve(folder, labels) : labels;
    const views = readLabels(from ?? []);
    const askNow = (seen: JsonObject): Promise<Judgment> => ask(seen, signal);
    const askLabel = typeof from === "string" ? askOnce(from, key, askNow) : askNow;
    const judged: Judgment[] = [];
    // A few at a time.
    for (let next = 0; next < views.length; next += 4)
      judged.push(...(await Promise.all(views.slice(next, next + 4).map(({ seen }) => askLabel(seen)))));
    const decided = views.filter((_, index) => judged[index]?.score !== null);
    const scores = judged.flatMap(({ score }) => score ?? []);
    if (decided.length > 0)
      calibration = calibrate(
        decided.map(({ label }) => label),
        scores,
        { threshold },
      );
    return addCosts(judged.map(({ cost }) => cost));
  };

  const prepare = async (given: PrepareScorer): Promise<PreparedScorer> => {
    const isFirst = preparing === undefined;
    preparing ??= compare(given).catch((error: unknown) => {
      // Another run tries again.
      preparing = undefined;
      throw error;
    });
    const cost = await preparing;
    return { cost: isFirst ? cost : 0, note: describeCalibration(name, calibration) };
  };

  return Object.defineProperties(Object.assign(scorer, { scorerName: name, key, prepare }), {
    calibration: { get: () => calibration, enumerable: true },
    isAdvisory: { get: () => calibration === undefined || calibration.problem !== undefined, enumerable: true },
    threshold: { get: () => calibration?.threshold ?? threshold ?? 0.5, enumerable: true },
    // With the members above.
  }) as unknown as Judge;
}

/** Why it may fail a build, or only advises. */
function describeCalibration(name: string, calibration: Calibration | undefined): string {
  if (calibration === undefined) return `Judge "${name}" only advises: it has no labels.`;
  const { labels, agreement, kappa, threshold, problem } = calibration;
  const agrees = `agrees with ${percent(agreement.value)} of ${labels} labels (${percent(agreement.low)} to ${percent(agreement.high)})`;
  const rest = `kappa is ${kappa.value.toFixed(2)}, and it passes from ${Number(threshold.toFixed(2))} on`;
  return `Judge "${name}" ${agrees}; ${rest}${problem === undefined ? "" : `; ${problem}`}.`;
}

function seeAnswer({ input, text, results }: Trial): JsonObject {
  return { input: readTexts(input), answer: results.length > 1 ? results.map((result) => result.text) : text };
}

/** The texts of a message, or of messages. */
export function readTexts(input: unknown): JsonObject[string] {
  if (typeof input === "string") return input;
  if (Array.isArray(input)) return input.map((one) => readTexts(one) ?? null);
  // Contents have parts; a text judge sees only text parts.
  const { role, parts, text } = Object(input) as JsonObject;
  return parts === undefined ? (text ?? "(media)") : { role, parts: readTexts(parts) };
}

/** Their sum; not known when one of them is not. */
export function addCosts(costs: readonly (number | undefined)[]): number | undefined {
  return costs.reduce((sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost), 0);
}
