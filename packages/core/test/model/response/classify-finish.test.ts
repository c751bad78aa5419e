import { expect, test } from "vitest";
import { classifyFinish } from "../../../src/model/response/fold.ts";

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
  ...["FUNCTION_CALL", "TOOL_CALLS", "TOOL_CALL", "TOOL_USE"].map((reason) => [reason, "calls"]),
  ...["function_call", "tool_calls", "tool_call", "tool_use", "Tool_Calls"].map((reason) => [reason, "calls"]),
  ...["FINISH_REASON_UNSPECIFIED", "MISSING_THOUGHT_SIGNATURE", "", "17", "NEXT_YEARS_REASON"].map((reason) => [
    reason,
    "unknown",
  ]),
  ...["stop", "Stop", "end_turn", "END_TURN"].map((reason) => [reason, "complete"]),
  ...["max_tokens", "length", "LENGTH"].map((reason) => [reason, "truncated"]),
  ...["content_filter", "CONTENT_FILTER"].map((reason) => [reason, "blocked"]),
  ...["eos", "error", "other", "unknown", "refusal", "stop!", "length_exceeded"].map((reason) => [reason, "unknown"]),
  ...["FUNCTION_CALLS_BLOCKED", "NO_TOOL_CALLS", " TOOL_CALLS", "TOOL CALLS", "CALL"].map((reason) => [
    reason,
    "unknown",
  ]),
])("%j is %s", (reason, meaning) => {
  expect(classifyFinish(reason)).toBe(meaning);
});
