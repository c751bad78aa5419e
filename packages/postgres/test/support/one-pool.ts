import type { PGlite } from "@electric-sql/pglite";
import { beforeAll, beforeEach } from "vitest";
import { openPglite } from "../../../dbos/test/support/open-pglite.ts";
import { PostgresStore, type PostgresStoreOptions } from "../../src/index.ts";
import { PglitePool } from "./pglite-pool.ts";

/** One PGlite for all tests of a process, and a schema for each. */
export interface OnePool {
  readonly pool: PglitePool;
  /** Of the test that is going. */
  readonly schema: string;
  /** A store on the schema; any number of them. */
  open(options?: PostgresStoreOptions): PostgresStore;
}

/** Half a gigabyte and half a second of the processor: files that share a process share it as well. */
let database: Promise<PGlite> | undefined;
let schemas = 0;

/** Called once in a file. */
export function onePool(): OnePool {
  let pool: PglitePool;
  beforeAll(async () => {
    const db = await (database ??= openPglite());
    // Whatever the file before has left.
    await db.exec("rollback");
    pool = new PglitePool(db);
  });
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
