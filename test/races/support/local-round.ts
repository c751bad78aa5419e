import { setTimeout as sleep } from "node:timers/promises";
import type { SessionStore } from "@pollux/core";
import { deferred, type Deferred } from "../../../packages/core/test/helpers/deferred.ts";
import { idle } from "../../../packages/core/test/helpers/fake-time.ts";
import { Processes, storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { EffectsList } from "../../faults/support/effects.ts";
import { randomFrom } from "../../faults/support/random.ts";
import { vi } from "vitest";
import { Racer } from "./racer.ts";
import type { Round } from "./round.ts";
import { Story } from "./story.ts";
import { problemsOfRound } from "./verdict.ts";

/** The result of a round. */
export interface RoundReport {
  readonly problems: readonly string[];
  readonly story: Story;
}

/** Most milliseconds that any operation of a store takes, before and after it happens. */
const STORE_MS = 6;

/** Number of leases after which a round counts as hanging, on its own clock: far above the time of any round. */
const LIMIT = 1000;

/** How many turns of the event loop, or milliseconds, to wait for work outside of this thread before the clock advances. */
const PATIENCE = 200;

/** The same without further timers: a round that still waits then hangs. */
const HANG_PATIENCE = 10_000;

/**
 * Plays a round in this process, on a clock that only advances when nothing else is left to do: needs `fakeTime("stands")`. Processes
 * are simulated; dead ones never do anything again.
 */
export async function playLocally(round: Round, given: SessionStore, id: string): Promise<RoundReport> {
  const { actors, steps, leaseMs, seed, endsInKill } = round;
  const story = new Story();
  const effects = new EffectsList();
  const busy = { count: 0 };
  const store = counting(given, busy);
  const processes = new Processes(store);
  let births = 0;
  const start = (): LocalProcess =>
    new LocalProcess(processes.start(), randomFrom(seed * 31 + births), (own) => {
      const name = `p${births++}`;
      const { lives } = own;
      return new Racer({
        store: own.store,
        id,
        effects,
        leaseMs,
        seed: seed * 31 + births,
        name,
        lives,
        tell: story.hear,
      });
    });
  const running = new Map<number, LocalProcess>();
  const of = (number: number): LocalProcess => {
    const found = running.get(number) ?? start();
    running.set(number, found);
    return found;
  };
  const problems = await onClock(busy, LIMIT * leaseMs + 600_000, async () => {
    const work: Promise<unknown>[] = [];
    for (const step of steps) {
      await pause(step.afterMs);
      const { process, object } = actors[step.actor] ?? { process: 0, object: 0 };
      switch (step.act.do) {
        case "kill":
          of(process).die(step.act.known);
          running.delete(process);
          break;
        case "pause":
          work.push(of(process).pause(step.act.forMs));
          break;
        case "jump":
          vi.setSystemTime(Date.now() + step.act.hours * 3_600_000);
          break;
        default: {
          const on = of(process);
          work.push(Promise.race([on.racer.perform(step, object), on.death]));
        }
      }
    }
    if (endsInKill) for (const process of running.values()) process.die(true);
    await Promise.all(work);
    // Runs that continue after their reader left, or in a process that is about to notice that it lost its session.
    await pause(leaseMs * 2);
    for (const process of running.values()) process.die(true);
    const fresh = start().racer;
    return await problemsOfRound({ store, id, story, effects: () => effects.all, fresh });
  });
  return { problems: problems ?? ["open: it never ended"], story };
}

/** A store that counts its operations in progress. */
function counting(store: SessionStore, busy: { count: number }): SessionStore {
  const counted = async <Result>(work: Promise<Result>): Promise<Result> => {
    busy.count++;
    return await work.finally(() => void busy.count--);
  };
  return storeLike(store, {
    load: (...args) => counted(store.load(...args)),
    append: (...args) => counted(store.append(...args)),
    list: (...args) => counted(store.list(...args)),
    records: (...args) => counted(store.records(...args)),
    setLease: (...args) => counted(store.setLease(...args)),
    setDraft: (...args) => counted(store.setDraft(...args)),
    requestStop: (...args) => counted(store.requestStop(...args)),
  });
}

/** A simulated process. */
class LocalProcess {
  readonly racer: Racer;
  /** Resolves when it is dead. */
  readonly death: Promise<void>;
  readonly #process: ReturnType<Processes["start"]>;
  readonly #dead: Deferred<void> = deferred();
  #isDead = false;
  /** Pending while it is paused. */
  #awake: Promise<void> = Promise.resolve();
  readonly store: SessionStore;

  constructor(process: ReturnType<Processes["start"]>, random: () => number, open: (own: LocalProcess) => Racer) {
    this.#process = process;
    this.death = this.#dead.promise;
    const slow = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      await this.lives(random() * STORE_MS);
      const result = await work();
      await this.lives(random() * STORE_MS);
      return result;
    };
    const { store } = process;
    this.store = storeLike(store, {
      load: (...args) => slow(() => store.load(...args)),
      append: (...args) => slow(() => store.append(...args)),
      records: (...args) => slow(() => store.records(...args)),
      setLease: (...args) => slow(() => store.setLease(...args)),
      setDraft: (...args) => slow(() => store.setDraft(...args)),
      requestStop: (...args) => slow(() => store.requestStop(...args)),
    });
    this.racer = open(this);
  }

  readonly lives = async (ms: number): Promise<void> => {
    if (ms > 0) await pause(ms);
    await this.#awake;
    if (this.#isDead) await new Promise(() => {});
  };

  async pause(ms: number): Promise<void> {
    const before = this.#awake;
    this.#awake = before.then(() => pause(ms));
    await this.#awake;
  }

  /** @param known - Whether others learn of it at once; otherwise its lease has to expire. */
  die(known: boolean): void {
    this.#isDead = true;
    this.#dead.resolve();
    if (known) this.#process.die();
  }
}

/** Moves the clock from timer to timer until the work is done; gives up after a long time on it. */
async function onClock<Result>(
  busy: { readonly count: number },
  limitMs: number,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const until = performance.now() + limitMs;
  const state = { isOver: false };
  const result = work().finally(() => (state.isOver = true));
  // Awaited below.
  result.catch(() => {});
  while (performance.now() < until) {
    await idle();
    for (let waited = 0; busy.count > 0 && waited < PATIENCE; waited++) await (waited < 50 ? idle() : sleep(1));
    if (state.isOver) return await result;
    for (let waited = 0; !state.isOver && vi.getTimerCount() === 0; waited++) {
      if (waited > HANG_PATIENCE) return undefined;
      await sleep(1);
    }
    vi.advanceTimersToNextTimer();
  }
  return undefined;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
