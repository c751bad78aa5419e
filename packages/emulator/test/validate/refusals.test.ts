import { describe, expect, test } from "vitest";
import { RULES } from "../../src/validate/rules.ts";
import { CONFIG } from "./cases/config.ts";
import { CONTENTS } from "./cases/contents.ts";
import { FIELDS } from "./cases/fields.ts";
import { SIGNATURES } from "./cases/signatures.ts";
import { TOOLS } from "./cases/tools.ts";
import { TRANSPORT } from "./cases/transport.ts";
import { outcome } from "./request.ts";

const ALL = [...TRANSPORT, ...FIELDS, ...CONTENTS, ...TOOLS, ...CONFIG, ...SIGNATURES].map(
  ([rule, what, asked, message, status = 400]) => ({ rule, what, asked, message, status }),
);

describe("refusals", () => {
  test.each(ALL)("$rule: $what", ({ rule, asked, message, status }) => {
    expect(outcome(asked)).toEqual({ rule, status, message });
  });

  test("every documented rule has a case, and every case a documented rule", () => {
    const documented = new Set(RULES.map(({ id }) => id));
    expect(new Set(ALL.map(({ rule }) => rule))).toEqual(documented);
    expect(documented.size).toBe(RULES.length);
  });
});
