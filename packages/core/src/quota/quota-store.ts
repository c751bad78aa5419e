/** A counter in a {@link QuotaStore}, and the amount to add. */
export interface QuotaCounter {
  /** Such as `app requests 29400123`: a limit in one window of time. */
  readonly key: string;
  /** May be 0, to read the counter; or negative, to give back. */
  readonly amount: number;
  /** The counter has room while it is below the limit, and the amount fits within it. @defaultValue none: there is always room */
  readonly limit?: number | undefined;
  /** When the counter is no longer needed, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Counters that all processes of an application share. */
export interface QuotaStore {
  /**
   * Adds to some counters in one atomic step, or adds nothing if one of them has no room. A missing counter is 0. The same counter may be
   * listed more than once. Expired ones may be dropped.
   *
   * @returns The total of each counter now, in order, and the position of the first one without room.
   */
  add(
    counters: readonly QuotaCounter[],
  ): Promise<{ readonly totals: readonly number[]; readonly full: number | undefined }>;
}

/** For authors of stores: the position of the first counter that has no room, given the total of each. */
export function findFull(counters: readonly QuotaCounter[], totals: readonly number[]): number | undefined {
  const full = counters.findIndex(({ amount, limit }, at) => {
    const total = totals[at] ?? 0;
    return limit !== undefined && (total >= limit || total + amount > limit);
  });
  return full === -1 ? undefined : full;
}

/** Counters of one process, for tests and single-process programs. */
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
