import { describe, test } from "vitest";
import { logs, RANDOM_DAMAGES } from "./damages.ts";

describe.each(Object.entries(logs))("the log of %s", (_name, log) => {
  const texts = log.map((entry) => JSON.stringify(entry));

  test.each(Object.entries(RANDOM_DAMAGES))("opens and can be sent after a repair, with %s", async (_what, repairs) => {
    await repairs(texts, 100);
  });
});
