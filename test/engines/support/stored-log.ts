import type { SessionStore } from "@pollux/core";
import type { JournalLog, Outcome } from "@pollux/core/durable";

/** A journal's log in a store, for programs on steps alone: an entry for each start and each outcome. */
export async function storedLog(store: SessionStore, id: string): Promise<JournalLog> {
  interface Entry {
    readonly name: string;
    readonly begunAt?: number;
    readonly outcome?: Outcome;
  }
  // This function wrote it.
  const entries = (await store.load(id)) as unknown as readonly Entry[];
  const begun = new Map<string, number>();
  const outcomes = new Map<string, Outcome>();
  let length = 0;
  const note = ({ name, begunAt, outcome }: Entry): void => {
    length++;
    if (begunAt !== undefined) begun.set(name, begunAt);
    if (outcome !== undefined) outcomes.set(name, outcome);
  };
  for (const entry of entries) note(entry);
  // Parallel operations write at the same time, and each append needs the length of the log.
  let last: Promise<void> = Promise.resolve();
  function add(entry: Entry): Promise<void> {
    const written = last.then(async () => {
      await store.append(id, length, [JSON.parse(JSON.stringify(entry))]);
      note(entry);
    });
    last = written.catch(() => {});
    return written;
  }
  return {
    findOutcome: (name) => outcomes.get(name),
    begunAt: (name) => begun.get(name),
    begin: async ({ name }) => {
      const begunAt = Date.now();
      await add({ name, begunAt });
      return begunAt;
    },
    record: ({ name }, outcome) => add({ name, outcome }),
  };
}
