import { describe, expect, test } from "vitest";
import { refuses, RULES } from "../listed-rules.ts";
import { CASES } from "./cases/all.ts";
import { outcome } from "./request.ts";

describe("refusals", () => {
  test.each(CASES)("$rule: $what", ({ rule, asked, message, status }) => {
    expect(outcome(asked)).toEqual({ rule, status, message });
  });

  test("every documented rule has a case, and every case a documented rule", () => {
    const refusing = RULES.filter(refuses).map(({ id }) => id);
    expect(new Set(CASES.map(({ rule }) => rule))).toEqual(new Set(refusing));
  });
});
