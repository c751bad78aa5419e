import { setTimeout as sleep } from "node:timers/promises";
import type { SessionStore } from "@pollux/core";
import { EffectsFile, readEffects } from "../../faults/support/effects.ts";
import { type AskedProcess, startAsked } from "../../faults/support/rivals/asked-process.ts";
import type { SharedStore } from "../../faults/support/rivals/rival-messages.ts";
import type { RoundReport } from "./local-round.ts";
import type { RoundProtocol, RoundRequest } from "./race-process.ts";
import { Racer } from "./racer.ts";
import type { Round } from "./round.ts";
import { Story } from "./story.ts";
import { problemsOfRound } from "./verdict.ts";

/** Ends a hang, in milliseconds. */
const HANG_MS = 120_000;

/** Processes that play rounds, one after the other: surviving processes play the next round, too. */
export class Troupe implements AsyncDisposable {
  readonly #place: SharedStore;
  readonly #processes: Map<number, Promise<AskedProcess<RoundRequest>>> = new Map();
  readonly #stories: Map<string, Story> = new Map();

  constructor(place: SharedStore) {
    this.#place = place;
  }

  /** @param store - The same store, opened in this process; the session of the round is new. */
  async play(round: Round, store: SessionStore, id: string, effects: string): Promise<RoundReport> {
    const { actors, steps, leaseMs, seed, endsInKill } = round;
    const story = new Story();
    this.#stories.set(id, story);
    const births = new Map<number, number>();
    const work: Promise<unknown>[] = [];
    for (const step of steps) {
      await sleep(step.afterMs);
      const { process: number, object } = actors[step.actor] ?? { process: 0, object: 0 };
      const process = await this.#of(number);
      const birth = births.get(number) ?? 0;
      if (step.act.do === "kill") {
        await this.#kill(number);
        births.set(number, birth + 1);
      } else if (step.act.do === "pause") {
        const { forMs } = step.act;
        process.pause();
        work.push(sleep(forMs).then(() => process.wake()));
      } else {
        const name = `p${number}.${birth}`;
        const request = {
          do: "step" as const,
          id,
          step,
          object,
          leaseMs,
          seed: seed * 31 + number + 10 * birth,
          name,
          effects,
        };
        work.push(Promise.race([process.ask(request), process.exit]));
      }
    }
    const numbers = [...new Set(actors.map(({ process }) => process))];
    if (endsInKill) await Promise.all(numbers.map((number) => this.#kill(number)));
    const isOver = await Promise.race([Promise.all(work).then(() => true), sleep(HANG_MS, false, { ref: false })]);
    if (!isOver) await Promise.all(numbers.map((number) => this.#kill(number)));
    const left = await Promise.all(numbers.flatMap((number) => this.#processes.get(number) ?? []));
    // Tools in progress when their run lost its session.
    await Promise.all(left.map((one) => one.ask({ do: "settle", id })));
    const unheard = left.flatMap((one) => one.unheard);
    const fresh = new Racer({
      store,
      id,
      effects: new EffectsFile(effects),
      leaseMs,
      seed,
      name: "fresh",
      lives: (ms) => sleep(ms),
      tell: story.hear,
    });
    const problems = await problemsOfRound({ store, id, story, effects: () => readEffects(effects), fresh });
    return {
      problems: [
        ...(isOver ? [] : ["open: it never ended"]),
        ...unheard.map((one) => `untyped: nobody handled ${one}`),
        ...problems,
      ],
      story,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((number) => this.#kill(number)));
  }

  #of(number: number): Promise<AskedProcess<RoundRequest>> {
    const found =
      this.#processes.get(number) ??
      startAsked<RoundProtocol>(
        new URL("./race-process.ts", import.meta.url),
        [],
        [JSON.stringify(this.#place)],
        ({ id, news }) => this.#stories.get(id)?.hear(news),
      );
    this.#processes.set(number, found);
    return found;
  }

  async #kill(number: number): Promise<void> {
    const process = await this.#processes.get(number);
    this.#processes.delete(number);
    await process?.kill();
  }
}
