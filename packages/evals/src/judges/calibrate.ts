import { seededRandom } from "../statistics/random.ts";
import { type Estimate, wilson } from "../statistics/rates.ts";

/** How a judge agrees with a person's labels. Each interval covers the truth in 95 of 100 samples of labels. */
export interface Calibration {
  /** Labels that the judge scored. */
  readonly labels: number;
  /** Share of them that say yes. */
  readonly baseRate: number;
  /** From this score on the judge says yes. */
  readonly threshold: number;
  /** Share of labels that the judge agrees with. */
  readonly agreement: Estimate;
  /** The same of those that say yes. */
  readonly sensitivity: Estimate;
  /** The same of those that say no. */
  readonly specificity: Estimate;
  /** Cohen's kappa: agreement beyond what chance gives, 1 for all of it. */
  readonly kappa: Estimate;
  /** Why the judge only advises, in a sentence; absent for one that may fail a build. */
  readonly problem?: string | undefined;
}

/**
 * Compares a judge's scores with a person's labels. Agreement is that of labels which did not choose the threshold: tenfold cross-validation.
 *
 * @param labels - Whether the answer is good, by a person.
 * @param scores - Of the judge, from 0 to 1, in the same order.
 * @param options.threshold - @defaultValue the one with most sensitivity and specificity together
 * @throws {TypeError} For no labels, or another number of scores.
 * @see Cohen 1960 for kappa; Efron 1979 for its interval, by 2,000 resamples with a fixed seed.
 */
export function calibrate(
  labels: readonly boolean[],
  scores: readonly number[],
  options: { readonly threshold?: number | undefined } = {},
): Calibration {
  if (labels.length === 0 || labels.length !== scores.length)
    throw new TypeError(`calibrate() needs a score for each label, got ${labels.length} labels, ${scores.length} scores`);
  const rows = labels.map((label, index) => ({ label, score: scores[index] ?? 0 }));
  const { threshold } = options;
  const verdicts = threshold === undefined ? crossValidate(rows) : rows.map((row) => judged(row, threshold));
  const [good, bad] = [verdicts.filter(({ label }) => label), verdicts.filter(({ label }) => !label)];
  const kappa = { value: kappaOf(verdicts), ...bootstrapKappa(verdicts) };
  return {
    labels: labels.length,
    baseRate: good.length / labels.length,
    threshold: threshold ?? bestThreshold(rows),
    agreement: shareRight(verdicts),
    sensitivity: shareRight(good),
    specificity: shareRight(bad),
    kappa,
    ...describeProblem(good.length, bad.length, kappa),
  };
}

/**
 * What share of answers is good, from the share that a judge says is: a judge that misses some and imagines others bends it.
 *
 * @returns The same rate when the judge does not tell good from bad.
 * @see Rogan & Gladen 1978; arXiv 2511.21140
 */
export function correctRate(rate: number, judge: Pick<Calibration, "sensitivity" | "specificity">): number {
  const informs = judge.sensitivity.value + judge.specificity.value - 1;
  if (informs <= 0) return rate;
  return Math.min(1, Math.max(0, (rate + judge.specificity.value - 1) / informs));
}

interface Row {
  readonly label: boolean;
  readonly score: number;
}

interface Verdict {
  readonly label: boolean;
  readonly verdict: boolean;
}

function judged({ label, score }: Row, threshold: number): Verdict {
  return { label, verdict: score >= threshold };
}

/** Each tenth of the labels, of both kinds alike, is judged by the threshold of the others. */
function crossValidate(rows: readonly Row[]): readonly Verdict[] {
  const seen = { true: 0, false: 0 };
  const folds = rows.map(({ label }) => seen[`${label}`]++ % 10);
  const thresholds = Array.from({ length: 10 }, (_, fold) => bestThreshold(rows.filter((_row, i) => folds[i] !== fold)));
  return rows.map((row, index) => judged(row, thresholds[folds[index] ?? 0] ?? 0.5));
}

/** Halfway between two scores that occur; of several that are as good, the one in the middle. */
function bestThreshold(rows: readonly Row[]): number {
  const scores = [...new Set(rows.map(({ score }) => score))].toSorted((a, b) => a - b);
  const between = scores.slice(1).map((score, index) => (score + (scores[index] ?? score)) / 2);
  const rated = between.map((threshold) => ({ threshold, informs: informedness(rows, threshold) }));
  const most = Math.max(...rated.map(({ informs }) => informs));
  const best = rated.filter(({ informs }) => informs === most);
  return best[Math.floor(best.length / 2)]?.threshold ?? 0.5;
}

/** Sensitivity and specificity together, as a comparable number. */
function informedness(rows: readonly Row[], threshold: number): number {
  const good = rows.filter(({ label }) => label).length;
  const bad = rows.length - good;
  let informs = 0;
  // Whole numbers, so that equal thresholds are equal.
  for (const { label, score } of rows) if (score >= threshold === label) informs += label ? bad : good;
  return informs;
}

/** Nothing is known of none. */
function shareRight(verdicts: readonly Verdict[]): Estimate {
  if (verdicts.length === 0) return { value: 0, low: 0, high: 1 };
  return wilson(verdicts.filter(({ label, verdict }) => label === verdict).length / verdicts.length, verdicts.length);
}

function kappaOf(verdicts: readonly Verdict[]): number {
  const share = (isCounted: (one: Verdict) => boolean) => verdicts.filter(isCounted).length / verdicts.length;
  const [labelled, said] = [share(({ label }) => label), share(({ verdict }) => verdict)];
  const byChance = labelled * said + (1 - labelled) * (1 - said);
  // Where all is one kind, agreement says nothing.
  return byChance === 1 ? 0 : (share(({ label, verdict }) => label === verdict) - byChance) / (1 - byChance);
}

function bootstrapKappa(verdicts: readonly Verdict[]): Pick<Estimate, "low" | "high"> {
  const random = seededRandom("kappa");
  const pick = (): Verdict[] => verdicts.flatMap(() => verdicts[Math.floor(random() * verdicts.length)] ?? []);
  const kappas = Array.from({ length: 2_000 }, () => kappaOf(pick())).toSorted((a, b) => a - b);
  return { low: kappas[49] ?? 0, high: kappas[1_950] ?? 0 };
}

function describeProblem(good: number, bad: number, kappa: Estimate): Pick<Calibration, "problem"> {
  const only = "it only advises: ";
  if (good + bad < 30) return { problem: `${only}${good + bad} labels of the 30 that it takes` };
  if (good < 10 || bad < 10) return { problem: `${only}${good} good and ${bad} bad labels, and it takes 10 of each` };
  if (kappa.low >= 0.4) return {};
  return { problem: `${only}kappa may be as low as ${kappa.low.toFixed(2)}, and it takes 0.4` };
}
