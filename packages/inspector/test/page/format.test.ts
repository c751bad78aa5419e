import { expect, test } from "vitest";
import { formatMoney } from "../../src/inspection/cost.ts";
import { formatAge, formatBytes, formatDuration, formatTokens } from "../../page/src/ui/format.ts";

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [999.7, "1.00 s"],
  [9949, "9.95 s"],
  [59_400, "59.4 s"],
  [61_000, "1 min 1 s"],
  [3_600_000, "1 h 0 min"],
  [90_000_000, "1 d 1 h"],
])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, "0"],
  [12.3456, "12.35"],
  [0.25, "0.25"],
  [0.000_77, "0.00077"],
  [0.000_000_1, "<0.000001"],
])("money of %d is %s", (cost, text) => expect(formatMoney(cost)).toBe(text));

test.each([
  [9999, "9,999"],
  [12_300, "12.3k"],
  [1_000_000, "1M"],
])("%d tokens are %s", (tokens, text) => expect(formatTokens(tokens)).toBe(text));

test.each([
  [999, "999 B"],
  [1500, "1.5 kB"],
  [20_000_000, "20 MB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [1000, "just now"],
  [59_000, "59 s ago"],
  [3_600_000, "1 h ago"],
  [40 * 86_400_000, "2023-11-14"],
])("%d ms ago is %s", (ms, text) => expect(formatAge(1_700_000_000_000, 1_700_000_000_000 + ms)).toBe(text));
