import { test } from "vitest";
import { survivesAnswers } from "./hostile/survives-answers.ts";

test("ten thousand hostile answers of a service give a result or a typed error", { timeout: 1_800_000 }, async () => {
  await survivesAnswers(10_000);
});
