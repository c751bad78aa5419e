import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { killWriter, temporaryFolder } from "../../helpers/store-process.ts";
import { type Kind, openStore } from "../programs/open-store.ts";

const kinds: readonly Kind[] = ["jsonl", "sqlite"];

describe.each(kinds)("%s store", (kind) => {
  test("keeps whole what was acknowledged before a process was killed", async () => {
    await killWriter(kind, join(temporaryFolder(), "sessions"), 3);
  });

  test("appends of one process need not wait for one another", async () => {
    const path = join(temporaryFolder(), "sessions");
    const store = openStore(kind, path);
    const settled = await Promise.allSettled([
      ...Array.from({ length: 50 }, (_, at) => store.append("shared", at, [at])),
      store.append("shared", 49, ["too late"]),
      store.append("shared", 50, [50]),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([...Array(50).fill("fulfilled"), "rejected", "fulfilled"]);
    expect(await store.load("shared")).toEqual([...Array(51).keys()]);
    if ("close" in store) store.close();
  });
});
