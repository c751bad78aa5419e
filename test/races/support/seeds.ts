import type { RoundReport } from "./local-round.ts";
import { describeRound, type Round } from "./round.ts";
import { shrink } from "./shrink.ts";

/** The rounds to play: `POLLUX_RACES`, from the command `test:races`. */
export interface Seeds {
  readonly count: number;
  readonly from: number;
  /** Only this store. */
  readonly store?: string | undefined;
}

/** The rounds of the command, or the ones that CI plays. */
export function seedsFromEnvironment(): Seeds {
  const given = process.env["POLLUX_RACES"];
  // `scripts/random-races.ts` wrote it.
  return given === undefined ? { count: 20, from: 1 } : (JSON.parse(given) as Seeds);
}

/** The seeds of one place, among several places that share them. */
export function listSeeds({ count, from }: Seeds, place: number = 0, places: number = 1): readonly number[] {
  return Array.from({ length: count }, (_, index) => from + index).filter((_, index) => index % places === place);
}

/** A failure for people: how to reproduce it, the fewest failing steps, their results, and the problems. */
export async function describeFailure(
  round: Round,
  where: string,
  report: RoundReport,
  again?: (round: Round) => Promise<RoundReport>,
): Promise<string> {
  let [least, found] = [round, report];
  if (again !== undefined) {
    const fails = async (one: Round): Promise<boolean> => {
      const next = await again(one);
      if (next.problems.length > 0) found = next;
      return next.problems.length > 0;
    };
    least = await shrink(round, fails);
  }
  const command = `npx pnpm@12.21.0 test:races --seeds 1 --from ${round.seed} --store ${where}`;
  return [`\nseed ${round.seed}: ${command}`, describeRound(least), found.story.toString(), ...found.problems].join(
    "\n",
  );
}
