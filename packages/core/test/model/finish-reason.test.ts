import { expect, test } from "vitest";
import { classifyFinish } from "../../src/model/finish-reason.ts";

test.each([
  ["STOP", "complete"],
  ["MAX_TOKENS", "truncated"],
  ...["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"].map((reason) => [
    reason,
    "blocked",
  ]),
  ...["IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"].map((reason) => [reason, "blocked"]),
  ["MALFORMED_FUNCTION_CALL", "bad-call"],
  ["MALFORMED_RESPONSE", "bad-call"],
  ["UNEXPECTED_TOOL_CALL", "undeclared-call"],
  ...["OTHER", "IMAGE_OTHER", "NO_IMAGE", "TOO_MANY_TOOL_CALLS"].map((reason) => [reason, "interrupted"]),
  ["CONTINUATION", "continuation"],
  ...["FINISH_REASON_UNSPECIFIED", "MISSING_THOUGHT_SIGNATURE", "stop", "", "17", "NEXT_YEARS_REASON"].map((reason) => [
    reason,
    "unknown",
  ]),
])("%j is %s", (reason, meaning) => {
  expect(classifyFinish(reason)).toBe(meaning);
});
