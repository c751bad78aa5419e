import type { SessionStore } from "../session/store/store.ts";
import { KeptExchanges } from "./kept-exchanges.ts";

/**
 * Reads what {@link keepExchanges} wrote.
 *
 * @param id - Of the session; of a run without one, the run's.
 *
 * @example
 * ```ts
 * const kept = await readExchanges(store, "chat-1");
 * for (const { step, status, position } of kept.exchanges) console.log(step.name, status, kept.body(position).length);
 * kept.add(await store.load("chat-1", kept.length)); // what has come since
 * ```
 */
export async function readExchanges(store: Pick<SessionStore, "load">, id: string): Promise<KeptExchanges> {
  return new KeptExchanges(await store.load(id));
}
