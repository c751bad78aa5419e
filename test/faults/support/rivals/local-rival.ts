import { setTimeout as sleep } from "node:timers/promises";
import type { Session, SessionStore } from "@pollux/core";
import { Processes, storeLike } from "../../../../packages/core/test/helpers/processes.ts";
import { EffectsList } from "../effects.ts";
import { randomFrom } from "../random.ts";
import { perform, reportOf } from "./acts.ts";
import { ASKING, openSession, TASK } from "./rival-agent.ts";
import type { ActOrder, ActReport, HoldPoint, Preparation, Remains, Rival } from "./rival-messages.ts";

/** A rival's state of one session. */
interface Own {
  readonly effects: EffectsList;
  began: Promise<ActReport> | undefined;
  session: Session | undefined;
}

/** A rival in this process. */
export class LocalRival implements Rival {
  readonly #store: SessionStore;
  readonly #hold: (id: string) => Promise<void>;
  readonly #own: Map<string, Own> = new Map();

  /** @param hold - Called at the hold point of a preparation; resolves when the run may continue. */
  constructor(store: SessionStore, hold: (id: string) => Promise<void> = async () => {}) {
    this.#store = store;
    this.#hold = hold;
  }

  async prepare(preparation: Preparation): Promise<void> {
    const { id, beginning, asks, seed, hold, leaseMs } = preparation;
    if (beginning === "new") return;
    const own = this.#ownOf(id);
    const random = randomFrom(seed);
    const message = `${asks || beginning === "waiting" ? ASKING : TASK} begins ${id}.`;
    const begin = (session: Session, signal?: AbortSignal): Promise<ActReport> =>
      (own.began = reportOf({ act: "begin", message }, session.send(message, { signal })));
    if (beginning === "cut off") {
      const [store, dead] = dyingStore(this.#store, 2 + Math.floor(random() * 9));
      const session = openSession({ store, id, effects: own.effects, random, leaseMs: leaseMs ?? 100 });
      // It may end before it dies.
      const report = await Promise.race([begin(session), dead]);
      if (report === undefined) own.began = undefined;
      return;
    }
    let isReached = false;
    const holdOnce = async (): Promise<void> => {
      if (isReached) return;
      isReached = true;
      await this.#hold(id);
    };
    const reached = async (point: string): Promise<void> => {
      if (point === hold?.at) await holdOnce();
    };
    const store = hold?.at === "append" ? this.#holding(hold, holdOnce) : this.#store;
    own.session = openSession({ store, id, effects: own.effects, random, leaseMs, reached });
    const abort = new AbortController();
    const began = begin(own.session, abort.signal);
    // With other writers, a run may end before it gets there.
    if (hold !== undefined) void began.then(holdOnce);
    if (beginning === "running") return;
    if (beginning === "stopped") {
      await Promise.race([sleep(random() * 25), began]);
      abort.abort(new DOMException("stopped by its caller", "AbortError"));
    }
    await began;
  }

  async act({ id, act, message, delayMs, seed, sameObject, leaseMs }: ActOrder): Promise<ActReport> {
    const own = this.#ownOf(id);
    await sleep(delayMs);
    const session =
      (sameObject ? own.session : undefined) ??
      openSession({ store: this.#store, id, effects: own.effects, random: randomFrom(seed), leaseMs });
    return await perform(session, act, message);
  }

  async settle(id: string): Promise<Remains> {
    const { effects, began } = this.#ownOf(id);
    const report = await began;
    while (effects.all.filter(({ step }) => step === "start").length * 2 !== effects.all.length) await sleep(1);
    this.#own.delete(id);
    return { began: report, effects: effects.all };
  }

  #ownOf(id: string): Own {
    const own = this.#own.get(id) ?? { effects: new EffectsList(), began: undefined, session: undefined };
    this.#own.set(id, own);
    return own;
  }

  #holding({ number, when }: Extract<HoldPoint, { readonly at: "append" }>, hold: () => Promise<void>): SessionStore {
    let appends = 0;
    return storeLike(this.#store, {
      append: async (...args) => {
        const here = ++appends === number;
        if (here && when === "before") await hold();
        await this.#store.append(...args);
        if (here && when === "after") await hold();
      },
    });
  }
}

/** A store whose process dies right after a number of appends, and a promise of its death. */
function dyingStore(store: SessionStore, appends: number): readonly [SessionStore, Promise<undefined>] {
  const { store: own, die } = new Processes(store).start();
  const known = store.processes;
  // A process id that does not exist.
  const self = known === undefined ? undefined : { ...Object(known.self), pid: 2 ** 30 };
  let dead = (): void => {};
  const death = new Promise<undefined>((resolve) => (dead = () => resolve(undefined)));
  let count = 0;
  return [
    {
      ...storeLike(own, {
        append: async (...args) => {
          await own.append(...args);
          if (++count < appends) return;
          die();
          dead();
          await new Promise(() => {});
        },
      }),
      processes: known === undefined ? undefined : { ...known, self, isGone: (one) => known.isGone(one) },
    },
    death,
  ];
}
