import { seededRandom } from "../statistics/random.ts";
import { type Estimate, sum, wilson } from "../statistics/rates.ts";

/** How a judge agrees with a person's labels. Each interval covers the truth in 95 of 100 samples of labels. */
export interface Calibration {
  /** Labels that the judge scored. */
  readonly labels: number;
  /** Share of them that say yes. */
  readonly baseRate: number;
  /** Lowest score that counts as a yes. */
  readonly threshold: number;
  /** Share of labels that the judge agrees with. */
  readonly agreement: Estimate;
  /** The same for answers labeled yes. */
  readonly sensitivity: Estimate;
  /** The same for answers labeled no. */
  readonly specificity: Estimate;
  /** Cohen's kappa: agreement beyond what chance gives, 1 for all of it. */
  readonly kappa: Estimate;
  /** Why the judge only advises, in a sentence; absent for one that may fail a build. */
  readonly problem?: string | undefined;
}

/**
 * Compares a judge's scores with a person's labels. Agreement is measured on labels that did not choose the threshold, by tenfold cross-validation.
 *
 * @param labels - A person's verdicts: whether each answer is good.
 * @param scores - The judge's scores, from 0 to 1, in the same order.
 * @param options.threshold - @defaultValue the one with most sensitivity and specificity together
 * @throws {TypeError} Without labels, or for another number of scores.
 * @see Cohen 1960 for kappa; Efron 1979 for its interval, here of 2,000 resamples with a fixed seed.
 */
export function calibrate(
  labels: readonly boolean[],
  scores: readonly number[],
  options: { readonly threshold?: number | undefined } = {},
): Calibration {
  if (labels.length === 0 || labels.length !== scores.length)
    throw new TypeError(`calibrate(): ${labels.length} labels need as many scores, got ${scores.length}`);
  const rows = labels.map((label, index) => ({ label, score: scores[index] ?? 0 }));
  const { threshold } = options;
  const verdicts = threshold === undefined ? crossValidate(rows) : rows.map((row) => judge(row, threshold));
  const [good, bad] = [verdicts.filter(({ label }) => label), verdicts.filter(({ label }) => !label)];
  const kappa = { value: kappaOf(verdicts), ...bootstrapKappa(verdicts) };
  const problem = findProblem(good.length, bad.length, kappa);
  return {
    labels: labels.length,
    baseRate: good.length / labels.length,
    threshold: threshold ?? bestThreshold(rows),
    agreement: shareRight(verdicts),
    sensitivity: shareRight(good),
    specificity: shareRight(bad),
    kappa,
    ...(problem !== undefined && { problem: `it only advises: ${problem}` }),
  };
}

interface Row {
  readonly label: boolean;
  readonly score: number;
}

interface Verdict {
  readonly label: boolean;
  readonly isRight: boolean;
}

function judge({ label, score }: Row, threshold: number): Verdict {
  return { label, isRight: score >= threshold === label };
}

/** Each tenth of the labels, of both kinds alike, is judged by the threshold of the others. */
function crossValidate(rows: readonly Row[]): readonly Verdict[] {
  const seen = { true: 0, false: 0 };
  const folds = rows.map(({ label }) => seen[`${label}`]++ % 10);
  const thresholds = folds.map((_, fold) =>
    fold < 10 ? bestThreshold(rows.filter((_row, i) => folds[i] !== fold)) : 0,
  );
  return rows.map((row, index) => judge(row, thresholds[folds[index] ?? 0] ?? 0));
}

/** Halfway between two scores that occur; of several that are as good, the one in the middle. */
function bestThreshold(rows: readonly Row[]): number {
  const scores = [...new Set(rows.map(({ score }) => score))].toSorted((a, b) => a - b);
  const between = scores.slice(1).map((score, index) => (score + (scores[index] ?? score)) / 2);
  const good = rows.filter(({ label }) => label).length;
  // Each kind counts as much as the other. Whole numbers, so that thresholds that are as good are equal.
  const weight = (label: boolean): number => (label ? rows.length - good : good);
  const worth = between.map((threshold) =>
    sum(rows.map((row) => (judge(row, threshold).isRight ? weight(row.label) : 0))),
  );
  const best = between.filter((_, index) => worth[index] === Math.max(...worth));
  return best[Math.floor(best.length / 2)] ?? 0.5;
}

/** Without verdicts, nothing is known. */
function shareRight(verdicts: readonly Verdict[]): Estimate {
  if (verdicts.length === 0) return { value: 0, low: 0, high: 1 };
  return wilson(verdicts.filter(({ isRight }) => isRight).length / verdicts.length, verdicts.length);
}

function kappaOf(verdicts: readonly Verdict[]): number {
  const share = (isCounted: (one: Verdict) => boolean): number => verdicts.filter(isCounted).length / verdicts.length;
  const [labeled, passed] = [share(({ label }) => label), share(({ label, isRight }) => label === isRight)];
  const byChance = labeled * passed + (1 - labeled) * (1 - passed);
  // Where all is of one kind, agreement says nothing.
  return byChance === 1 ? 0 : (share(({ isRight }) => isRight) - byChance) / (1 - byChance);
}

function bootstrapKappa(verdicts: readonly Verdict[]): Pick<Estimate, "low" | "high"> {
  const random = seededRandom("kappa");
  const pick = (): Verdict[] => verdicts.flatMap(() => verdicts[Math.floor(random() * verdicts.length)] ?? []);
  const kappas = Array.from({ length: 2_000 }, () => kappaOf(pick())).toSorted((a, b) => a - b);
  return { low: kappas[49] ?? 0, high: kappas[1_950] ?? 0 };
}

function findProblem(good: number, bad: number, kappa: Estimate): string | undefined {
  if (good + bad < 30) return `it takes 30 labels, and there are ${good + bad}`;
  if (good < 10 || bad < 10) return `it takes 10 labels of each kind, and there are ${good} good and ${bad} bad`;
  return kappa.low < 0.4 ? `kappa may be as low as ${kappa.low.toFixed(2)}, which is below 0.4` : undefined;
}
