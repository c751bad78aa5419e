import { expect, test } from "vitest";
import { openDatabase } from "../src/database.ts";

test("a database is closed once, however often it is said", async () => {
  const database = openDatabase({ databaseUrl: "postgresql://postgres@127.0.0.1:1/nothing" });
  await database.close();
  await expect(database.close()).resolves.toBeUndefined();
});
