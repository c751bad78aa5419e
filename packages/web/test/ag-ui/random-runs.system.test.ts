import { describe, test } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { checkRandomRuns } from "../random-runs.ts";
import { checkFollowers } from "./random-runs.ts";

describe("many random runs", () => {
  fakeTime("leaps");

  test("are the same to whoever follows them, from whenever on", async () => {
    await checkRandomRuns({ numRuns: 150 }, checkFollowers);
  });
});
