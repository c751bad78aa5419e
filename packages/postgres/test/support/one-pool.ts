import { afterAll, beforeAll, beforeEach } from "vitest";
import { PostgresStore, type PostgresStoreOptions } from "../../src/index.ts";
import { PglitePool } from "./pglite-pool.ts";

/** One PGlite for the tests of a file, and a schema for each. */
export interface OnePool {
  readonly pool: PglitePool;
  /** Of the test that is going. */
  readonly schema: string;
  /** A store on the schema; any number of them. */
  open(options?: PostgresStoreOptions): PostgresStore;
}

/** Called once in a file. */
export function onePool(): OnePool {
  let pool: PglitePool;
  let schemas = 0;
  beforeAll(async () => {
    pool = await PglitePool.create();
  });
  afterAll(() => pool.close());
  beforeEach(() => {
    schemas++;
    pool.reset();
  });
  return {
    get pool() {
      return pool;
    },
    get schema() {
      return `test ${schemas}`;
    },
    open: (options) => new PostgresStore(pool, { schema: `test ${schemas}`, listen: false, ...options }),
  };
}
