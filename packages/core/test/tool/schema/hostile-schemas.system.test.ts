import { test } from "vitest";
import { survivesSchemas } from "./survives-schemas.ts";

test(
  "ten thousand hostile schemas become tools or are refused with a typed error",
  { timeout: 1_800_000 },
  async () => {
    await survivesSchemas(10_000);
  },
);
