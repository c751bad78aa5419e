import { storeConformance } from "@pollux/core/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { PostgresStore } from "../src/index.ts";
import { PglitePool } from "./support/pglite-pool.ts";

// On the real server these run in `conformance.system.test.ts`.
let pool: PglitePool;
let schemas = 0;

beforeAll(async () => {
  pool = await PglitePool.create();
});
afterAll(() => pool.close());

const checks = storeConformance(async () => {
  const schema = `s${++schemas}`;
  const stores: PostgresStore[] = [];
  const open = (): PostgresStore => {
    const store = new PostgresStore(pool, { schema });
    stores.push(store);
    return store;
  };
  return {
    store: open(),
    reopen: async () => open(),
    close: async () => {
      for (const store of stores) await store.close();
    },
  };
});

describe.each(checks)("$name", ({ run }) => {
  test("holds on PGlite", run);
});
