import { describe, test } from "vitest";
import { pgliteChecks } from "./support/pglite-checks.ts";

// Every fifth one; all of them run in `conformance.system.test.ts`, here and on the real server.
const some = pgliteChecks().filter((_check, index) => index % 5 === 0);

describe.each(some)("$name", ({ run }) => {
  test("holds on PGlite", run);
});
