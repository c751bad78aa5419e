import { test } from "vitest";
import { survivesAnswers } from "./hostile/survives-answers.ts";

// The same with thousands of answers is a system test.
test("hostile answers of a service give a result or a typed error", { timeout: 120_000 }, async () => {
  await survivesAnswers(200);
});
