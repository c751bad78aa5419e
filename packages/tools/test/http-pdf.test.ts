import { setImmediate as turn } from "node:timers/promises";
import { deflateSync } from "node:zlib";
import { ToolError } from "@pollux/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { until } from "../../core/test/helpers/until.ts";
import { readPdfApart } from "../src/http/pdf-apart.ts";
import { drawn, pdfOf } from "./helpers/pdf.ts";

const context = { signal: new AbortController().signal, maxConversions: 2 };

/** To find its objects takes minutes, whatever the machine. */
const quadratic = Buffer.from(`%PDF-1.7\n${"1 0 obj <<\n".repeat(90_000)}`);

/** Drawing it takes minutes: text a million times, compressed to a few kilobytes. */
const endless = { bytes: deflateSync(`BT /F1 9 Tf ${"(a) Tj ".repeat(9_000_000)}ET`), filter: "/Filter /FlateDecode" };

test("a PDF that takes too long is given up when its time is up, and nothing waits for it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  let [isReading, isOver] = [false, false];
  const reading = readPdfApart(quadratic, context, () => (isReading = true)).finally(() => (isOver = true));
  await until(() => isReading);
  vi.advanceTimersByTime(19_999);
  await turn();
  expect(isOver).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(reading).rejects.toThrow(
    new ToolError("the PDF cannot be read: it takes more time or memory than is allowed; use another source"),
  );
});

test("the pages that were read before the time was up are kept", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  let pages = 0;
  const reading = readPdfApart(pdfOf({ bytes: drawn("first") }, endless), context, (count) => (pages = count));
  await until(() => pages === 1);
  vi.advanceTimersByTime(20_000);
  expect(await reading).toEqual({ text: "--- page 1 ---\nfirst", isCut: true });
});

test("an abort ends the reading of a PDF at once", async () => {
  const controller = new AbortController();
  const reason = new Error("stop");
  await expect(
    readPdfApart(quadratic, { ...context, signal: controller.signal }, () => controller.abort(reason)),
  ).rejects.toBe(reason);
});

test("a stream that decompresses to more than is allowed is refused, in no memory of this process", async () => {
  // 70 MB from 70 KB: more than one buffer may hold, and too little to be noticed by the limit on memory.
  const bomb = { bytes: deflateSync(Buffer.alloc(70_000_000, " ")), filter: "/Filter /FlateDecode" };
  const before = process.memoryUsage().arrayBuffers;
  await expect(readPdfApart(pdfOf(bomb), context)).rejects.toBeInstanceOf(ToolError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});
