import { HttpError } from "@pollux/core/serving";
import type { OwnerBudget, SessionStore } from "@pollux/core";
import { SessionConflictError } from "@pollux/core/errors";
import { findSession } from "./chats.ts";

/** What the runs of one owner may cost, in the unit of the agent's `prices`. */
export interface SpendingLimit {
  /** All conversations of the owner in the store together. */
  readonly maxCost: number;
  /** Count only conversations written to in the last so many milliseconds, each with its whole cost. @defaultValue all */
  readonly windowMs?: number | undefined;
  /** What one run may cost at most, in place of `limits.cost` of the agent. @defaultValue the agent's */
  readonly maxCostPerRun?: number | undefined;
}

/** Where the store keeps what deleted conversations had cost. No conversation's id can begin with this. */
const DELETED = "pollux:deleted/";

/** What the ids begin with that keep this for an owner. Ids of other owners may begin with it too. */
export function deletedPrefix(owner: string): string {
  return `${DELETED}${encodeURIComponent(owner)}`;
}

/** Most sessions that are read from a list at once. */
const PAGE = 500;

/**
 * The remainder of a limit. It counts what the store has: runs that have ended, and the finished turns of active runs,
 * in any process. Runs check before each turn, so each can exceed the limit by its current turn.
 */
export class Spending {
  readonly #store: SessionStore;
  readonly #limit: SpendingLimit;

  constructor(store: SessionStore, limit: SpendingLimit) {
    for (const [name, value] of Object.entries(limit))
      if (value !== undefined && !(value > 0)) throw new TypeError(`spending.${name} must be above 0, got ${value}`);
    this.#store = store;
    this.#limit = limit;
  }

  /** @throws {HttpError} When nothing is left. */
  async check(owner: string): Promise<void> {
    const { maxCost, spent } = await this.budgetOf(owner);
    if (spent >= maxCost) throw new HttpError(429, "spending_limit", "You have reached your spending limit.");
  }

  async budgetOf(owner: string): Promise<OwnerBudget> {
    return { maxCost: this.#limit.maxCost, spent: await this.#spent(owner) };
  }

  /** Keeps the cost of a conversation that is about to be deleted: deleting it does not make room in the budget. */
  async keep(owner: string, cost: number): Promise<void> {
    if (cost === 0) return;
    const now = Date.now();
    const { windowMs } = this.#limit;
    const period = windowMs === undefined ? "" : `/${Math.floor(now / windowMs)}`;
    const id = `${deletedPrefix(owner)}${period}`;
    for (;;) {
      const before = (await findSession(this.#store, id)) ?? { length: 0, cost: 0 };
      const info = { title: "Deleted conversations", owner, state: "idle", createdAt: now, messages: 0 } as const;
      try {
        return await this.#store.append(id, before.length, [{ type: "info", at: now, owner, title: info.title }], {
          info: { ...info, turns: 0, totalTokens: 0, cost: (before.cost ?? 0) + cost },
        });
      } catch (error) {
        if (!(error instanceof SessionConflictError)) throw error;
      }
    }
  }

  async #spent(owner: string): Promise<number> {
    const { windowMs } = this.#limit;
    const since = windowMs === undefined ? 0 : Date.now() - windowMs;
    let spent = 0;
    for (let page = await this.#store.list({ owner, limit: PAGE }); ;) {
      const recent = page.filter(({ updatedAt }) => updatedAt >= since);
      for (const { cost = 0 } of recent) spent += cost;
      if (page.length < PAGE || recent.length < page.length) return spent;
      page = await this.#store.list({ owner, limit: PAGE, after: page.at(-1) });
    }
  }
}
