import { storeConformance } from "@pollux/core/testing";
import { describe, test } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { onePool } from "./support/one-pool.ts";

// On the real server these run in `conformance.system.test.ts`.
const place = onePool();

const checks = storeConformance(async () => {
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

describe.each(checks)("$name", ({ run }) => {
  test("holds on PGlite", run);
});
