import { join } from "node:path";
import type { Case } from "./cases.ts";
import type { Driver } from "./drivers.ts";
import { missingWork } from "./prove.ts";
import { type Absence, figureOf, type Measured, type Row } from "./row.ts";
import { runSample, UnavailableError } from "./run-sample.ts";
import { pathOf, resultOf } from "./scenario.ts";
import type { Service } from "./start-server.ts";

interface Sample {
  readonly cpuMs: number;
  readonly peakMB: number;
  readonly sentKB: number;
}

const MODEL = "gemini-3.5-flash";
const program = join(import.meta.dirname, "sample.mjs");

/**
 * Runs a case with the drivers in turns, each sample in a fresh process. A driver that fails, or doesn't do all of the work, has no
 * figures in the case's rows.
 *
 * @param drivers - The first is the baseline.
 * @param wanted - Number of rounds, unless the case has fewer.
 */
export async function measureCase(
  one: Case,
  drivers: readonly Driver[],
  wanted: number,
  service: Service,
  progress: (text: string) => void,
): Promise<Measured> {
  const rounds = Math.min(wanted, one.rounds ?? wanted);
  const taking = drivers.filter((driver) => one.takes?.(driver) ?? true);
  const samples = new Map<string, Sample[]>(taking.map(({ name }) => [name, []]));
  const absences: Absence[] = [];
  const rows = one.measures.map(({ id }) => id);
  for (let round = 0; round < rounds; round++) {
    // Each round starts with another driver, so that none always runs when the machine is coolest.
    for (const driver of [...taking.slice(round % taking.length), ...taking.slice(0, round % taking.length)]) {
      if (absences.some(({ driver: name }) => name === driver.name)) continue;
      progress(`${rows[0]}  round ${round + 1}/${rounds}  ${driver.name}`);
      try {
        samples.get(driver.name)?.push(await takeSample(one, driver, service));
      } catch (error) {
        const isFailure = !(error instanceof UnavailableError) && !driver.isPeer;
        absences.push({ rows, driver: driver.name, reason: messageOf(error), isFailure });
      }
    }
  }
  const whole = new Map([...samples].filter(([, taken]) => taken.length === rounds));
  return { rows: rowsOf(one, whole, taking[0]?.name ?? ""), absences };
}

async function takeSample(one: Case, driver: Driver, service: Service): Promise<Sample> {
  const tag = crypto.randomUUID();
  const { scenario, warm, runs, together, unary } = one;
  const job = {
    driver: driver.url,
    model: MODEL,
    base: service.url + pathOf(tag, scenario),
    warmBase: service.url + pathOf("warm", scenario),
    warm,
    runs,
    together,
    unary,
    text: scenario.kind === "turns" ? { of: "done", times: 1 } : { of: "x", times: scenario.chunks * scenario.size },
    report: scenario.kind === "turns" ? resultOf(scenario.resultBytes) : "",
  };
  const { cpuMs = 0, peakMB = 0, executed = 0, wrongTexts = 0 } = await runSample(program, JSON.stringify(job));
  const count = await service.count(tag);
  const missing = missingWork(scenario, unary, { runs, executed, wrongTexts, count });
  if (missing !== undefined) throw new Error(`It did not do the same work: ${missing}.`);
  return { cpuMs, peakMB, sentKB: count.bytes / 1_024 };
}

/** Without a baseline, there are no rows. */
function rowsOf(one: Case, samples: ReadonlyMap<string, readonly Sample[]>, baseline: string): readonly Row[] {
  const base = samples.get(baseline);
  if (base === undefined) return [];
  return one.measures.map(({ id, label, unit, of, per, relation, targets }) => {
    const read = (taken: readonly Sample[]): readonly number[] => taken.map((sample) => sample[of] / per);
    const figures = [...samples].map(([driver, taken]) => figureOf(driver, read(taken), relation, read(base)));
    return { id, label, unit, relation, baseline, targets, figures };
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
