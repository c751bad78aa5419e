import { test } from "vitest";
import { HOSTILE_INPUTS } from "../../../../../test/support/hostile-inputs.ts";
import { survivesSchemas } from "./survives-schemas.ts";

test(
  "thousands of hostile schemas become tools or are refused with a typed error",
  { timeout: 1_800_000 },
  async () => {
    await survivesSchemas(HOSTILE_INPUTS);
  },
);
