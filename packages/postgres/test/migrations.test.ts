import { ConfigurationError } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { PostgresStore } from "../src/index.ts";
import { onePool } from "./support/one-pool.ts";

const place = onePool();

/** Versions that were applied, in order. */
async function applied(schema: string = place.schema): Promise<unknown> {
  const { rows } = await place.pool.query(`select version from "${schema}".session_migrations order by applied_at`);
  return rows;
}

describe("the tables", () => {
  test("are made by the first use, once", async () => {
    const store = place.open();
    await store.append("a", 0, [1]);
    await store.append("a", 1, [2]);
    expect(await applied()).toEqual([{ version: 1 }]);
    expect(place.pool.sent.filter((sql) => sql.startsWith("begin"))).toHaveLength(1);
  });

  test("are made once by ten stores that begin at the same time", async () => {
    const stores = Array.from({ length: 10 }, () => place.open());
    await Promise.all(stores.map((store, index) => store.append(`s${index}`, 0, [index])));
    expect(await applied()).toEqual([{ version: 1 }]);
    expect((await place.open().list()).length).toBe(10);
  });

  test("stay as they are when they are migrated again", async () => {
    const store = place.open();
    await store.migrate();
    await store.append("a", 0, [1]);
    await store.migrate();
    expect(await store.load("a")).toEqual([1]);
    expect(await applied()).toEqual([{ version: 1 }]);
  });

  test("are only looked at by a user who may not create them, where they exist", async () => {
    await place.open().migrate();
    place.pool.sent.length = 0;
    await place.open().append("a", 0, [1]);
    expect(place.pool.sent.filter((sql) => /\b(create|begin|lock)\b/.test(sql))).toEqual([]);
  });

  test("are made in a schema that somebody else creates meanwhile", async () => {
    let collided = false;
    place.pool.before = (sql) => {
      if (collided || !sql.startsWith("create schema")) return;
      collided = true;
      throw Object.assign(new Error("schema already exists"), { code: "42P06" });
    };
    await place.open().append("a", 0, [1]);
    expect(collided).toBe(true);
  });

  test("are made by the next use after a first one that failed", async () => {
    const store = place.open();
    place.pool.before = (sql) => {
      if (sql.startsWith("create table")) throw Object.assign(new Error("no space left"), { code: "53100" });
    };
    await expect(store.load("a")).rejects.toMatchObject({ code: "session_store" });
    place.pool.before = () => {};
    expect(await store.load("a")).toEqual([]);
  });

  test("of two schemas have nothing in common", async () => {
    const odd = `${place.schema} "quoted"`;
    await using one = place.open();
    await using other = place.open({ schema: odd });
    await one.append("a", 0, [1]);
    expect(await other.load("a")).toEqual([]);
    expect(await applied(odd.replaceAll('"', '""'))).toEqual([{ version: 1 }]);
  });
});

describe("tables that are not those of this release", () => {
  test("are refused when they are newer, whoever migrates", async () => {
    await place.open().migrate();
    await place.pool.query(`insert into "${place.schema}".session_migrations (version) values (7)`);
    const newer =
      `The session tables in the schema "${place.schema}" are of version 7, and this release of @pollux/postgres ` +
      "knows versions up to 1. Update @pollux/postgres in this process.";
    await expect(place.open().load("a")).rejects.toThrow(new ConfigurationError(newer));
    await expect(place.open({ migrate: false }).load("a")).rejects.toThrow(new ConfigurationError(newer));
    await expect(place.open().migrate()).rejects.toThrow(new ConfigurationError(newer));
  });

  test("are refused when they are missing and nobody migrates", async () => {
    const store = place.open({ migrate: false });
    await expect(store.append("a", 0, [1])).rejects.toThrow(
      new ConfigurationError(
        `The schema "${place.schema}" has no session tables, but this release needs version 1. ` +
          "Call migrate() once, or leave out `migrate: false`.",
      ),
    );
    await store.migrate();
    await store.append("a", 0, [1]);
    expect(await store.load("a")).toEqual([1]);
  });
});

test("a schema is a name that Postgres keeps whole", () => {
  for (const schema of ["", "x".repeat(64), "nul\0"])
    expect(() => new PostgresStore(place.pool, { schema })).toThrow(TypeError);
});
