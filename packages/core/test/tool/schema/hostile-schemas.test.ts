import { test } from "vitest";
import { survivesSchemas } from "./survives-schemas.ts";

// The same with thousands of schemas is a system test.
test("hostile schemas become tools or are refused with a typed error", { timeout: 120_000 }, async () => {
  await survivesSchemas(60);
});
