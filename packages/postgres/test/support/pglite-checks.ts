import { storeConformance } from "@pollux/conformance";
import type { PostgresStore } from "../../src/index.ts";
import { onePool } from "./one-pool.ts";

/** The checks of stores on PGlite. Called once in a file. */
export function pgliteChecks(): ReturnType<typeof storeConformance> {
  const place = onePool();
  return storeConformance(async () => {
    const stores: PostgresStore[] = [];
    const open = async (): Promise<PostgresStore> => {
      const store = place.open({ listen: true });
      stores.push(store);
      return store;
    };
    return {
      store: await open(),
      reopen: open,
      close: async () => {
        for (const store of stores) await store.close();
      },
    };
  });
}
