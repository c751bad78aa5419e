import { describe, test } from "vitest";
import { expectCheapAppends } from "../../helpers/session-sizes.ts";
import type { Kind } from "../programs/open-store.ts";

const kinds: readonly Kind[] = ["jsonl", "sqlite"];

describe.each(kinds)("a session of 200 turns in a %s store", (kind) => {
  test("opens, and takes an append at the cost of one of 10 turns", () => expectCheapAppends(kind, 200, 50));
});
