import { expect, test } from "vitest";
import { parseTraceparent } from "../../src/internal/traceparent.ts";

const [TRACE, SPAN] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

test("a traceparent is read into the ids that lines of a log have", () => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ trace_id: TRACE, span_id: SPAN, trace_flags: "01" });
});

test.each([
  ["another version", `01-${TRACE}-${SPAN}-01`],
  ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["capital letters", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["something behind it", `00-${TRACE}-${SPAN}-01-00`],
  ["something before it", ` 00-${TRACE}-${SPAN}-01`],
  ["no flags", `00-${TRACE}-${SPAN}`],
  ["an empty text", ""],
  ["no text", 7],
  ["nothing", undefined],
])("%s is none", (_what, value) => {
  expect(parseTraceparent(value)).toBeUndefined();
});
