/** A counter in a {@link QuotaStore}, and what is added to it. */
export interface QuotaCounter {
  /** Such as `app requests 29400123`: a limit in one window of time. */
  readonly key: string;
  /** May be 0, to look; or negative, to give back. */
  readonly amount: number;
  /** There is room while the counter is below it, and stays within it. @defaultValue none: there is always room */
  readonly limit?: number | undefined;
  /** When nobody needs the counter any more, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Counters that all processes of an application share. */
export interface QuotaStore {
  /**
   * Adds to some counters in one atomic step, unless one of them has no room: then nothing is added. A counter that is not there is 0.
   * The same one may be among them more than once. Expired ones may be dropped.
   *
   * @returns What each holds now, in order, and the position of the first without room.
   */
  add(
    counters: readonly QuotaCounter[],
  ): Promise<{ readonly totals: readonly number[]; readonly full: number | undefined }>;
}

/** For authors of stores: the position of the first counter that has no room, given what each holds. */
export function findFull(counters: readonly QuotaCounter[], totals: readonly number[]): number | undefined {
  const full = counters.findIndex(({ amount, limit }, at) => {
    const total = totals[at] ?? 0;
    return limit !== undefined && (total >= limit || total + amount > limit);
  });
  return full === -1 ? undefined : full;
}

/** Counters of one process, for tests and programs that have no other. */
export class MemoryQuotaStore implements QuotaStore {
  readonly #counters = new Map<string, { readonly total: number; readonly expiresAt: number }>();

  async add(counters: readonly QuotaCounter[]): ReturnType<QuotaStore["add"]> {
    const now = Date.now();
    for (const [key, { expiresAt }] of this.#counters) if (expiresAt < now) this.#counters.delete(key);
    const read = (): number[] => counters.map(({ key }) => this.#counters.get(key)?.total ?? 0);
    const full = findFull(counters, read());
    if (full === undefined)
      for (const { key, amount, expiresAt } of counters)
        this.#counters.set(key, { total: (this.#counters.get(key)?.total ?? 0) + amount, expiresAt });
    return { totals: read(), full };
  }
}
