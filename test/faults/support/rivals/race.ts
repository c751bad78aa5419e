import type { SessionStore } from "@pollux/core";
import { randomFrom, SEED } from "../random.ts";
import { sideBySide } from "../side-by-side.ts";
import type { Tally } from "../tally.ts";
import { type Act, PAIRS } from "./acts.ts";
import { type ActReport, type Beginning, BEGINNINGS, type Rival } from "./rival-messages.ts";
import { problemsOfStory } from "./settled-session.ts";

/** Parallel rounds: most of them wait, for each other or for the next poll of the store. */
const WIDTH = 64;

/** The place and size of a race. */
export interface Course {
  /** The store in this process. */
  readonly store: SessionStore;
  readonly rivals: readonly [Rival, Rival];
  /** Rounds per pair of acts. */
  readonly rounds: number;
  /** Only every nth pair. @defaultValue 1, all of them */
  readonly every?: number | undefined;
  readonly tally: Tally;
  readonly row: string;
}

/** Lets two rivals act on one session, with each pair of acts several times, at random moments of a run. */
export async function race({ store, rivals, rounds, every = 1, tally, row }: Course): Promise<readonly string[]> {
  const jobs = Array.from({ length: rounds }, () => PAIRS.filter((_, index) => index % every === 0)).flat();
  const ends = new Map<string, number>();
  const found = await sideBySide(jobs, WIDTH, async (acts, index) => {
    const random = randomFrom(SEED * 100_003 + index);
    const id = `${row.replaceAll(/\W+/g, "-")}-${index}`;
    const beginning = BEGINNINGS[Math.floor(random() * BEGINNINGS.length)] ?? "new";
    const { reports, problems } = await oneRound({ store, rivals, acts, id, beginning, random });
    tally.count(row, "rounds");
    for (const { act, error } of reports) {
      if (act === "begin") continue;
      tally.count(row, error === undefined ? "done" : "refused");
      if (error !== undefined) ends.set(error.code ?? error.name, (ends.get(error.code ?? error.name) ?? 0) + 1);
    }
    return tally.found(row, `${id}, ${beginning}: ${acts.join(" and ")}`, problems);
  });
  const counted = [...ends].toSorted(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`);
  tally.note(`${row}, refused with: ${counted.join(", ")}`);
  return found.flat();
}

async function oneRound({
  store,
  rivals,
  acts,
  id,
  beginning,
  random,
}: Pick<Course, "store" | "rivals"> & {
  readonly acts: readonly [Act, Act];
  readonly id: string;
  readonly beginning: Beginning;
  readonly random: () => number;
}): Promise<{ readonly reports: readonly ActReport[]; readonly problems: readonly string[] }> {
  const [beginner, other] = random() < 0.5 ? rivals : ([rivals[1], rivals[0]] as const);
  const seed = (): number => Math.floor(random() * 2 ** 32);
  await beginner.prepare({ id, beginning, asks: random() < 0.5, seed: seed() });
  const [first, second] = random() < 0.5 ? acts : [acts[1], acts[0]];
  const order = (act: Act, sameObject: boolean) => ({
    id,
    act,
    message: `${act === "steer" ? "Also" : "Task"}, ${act} ${seed()}.`,
    delayMs: random() * 40,
    seed: seed(),
    sameObject,
  });
  const reports: readonly ActReport[] | undefined = await inTime(
    Promise.all([beginner.act(order(first, random() < 0.5)), other.act(order(second, false))]),
  );
  const remains = reports && (await inTime(Promise.all([beginner.settle(id), other.settle(id)])));
  if (remains === undefined) return { reports: reports ?? [], problems: ["open: it never ended"] };
  const all = [...(reports ?? []), ...remains.flatMap(({ began }) => began ?? [])];
  const problems = await problemsOfStory({
    store,
    id,
    reports: all,
    effects: remains.flatMap(({ effects }) => effects),
    isCutOff: beginning === "cut off",
  });
  return { reports: all, problems };
}

/** Gives up on a hang, far above the time that anything here takes. */
async function inTime<Result>(work: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), 240_000)));
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
