import { test } from "vitest";
import { HOSTILE_INPUTS } from "../../../../../test/support/hostile-inputs.ts";
import { survivesAnswers } from "./hostile/survives-answers.ts";

test("thousands of hostile answers of a service give a result or a typed error", { timeout: 1_800_000 }, async () => {
  await survivesAnswers(HOSTILE_INPUTS);
});
