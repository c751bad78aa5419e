import { expect, test } from "vitest";
import { faultTable } from "./support/fault-table.ts";
import { KINDS } from "./support/places.ts";
import { tornWrites } from "./support/torn-writes.ts";

const table = faultTable("files that are torn");

test.each(KINDS)(
  "a write that was torn, in a %s store, takes back what was not acknowledged, and nothing else",
  async (kind) => {
    expect(await tornWrites(table, kind, 1)).toEqual([]);
  },
);
