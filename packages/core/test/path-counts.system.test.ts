import { test } from "vitest";
import { expectCheapResume } from "./helpers/resume-budget.ts";

test("to resume a run of 1,000 turns takes little more than to send the next message", async () => {
  await expectCheapResume(1000);
});
