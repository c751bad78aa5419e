// @vitest-environment happy-dom
import { act, createElement } from "react";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Attachments, useAttachments } from "../../src/chat/use-attachments.ts";
import { render } from "../support/rendered.ts";

async function openAttachments(): Promise<{ readonly now: () => Attachments }> {
  let current: Attachments | undefined;
  function Probe(): null {
    current = useAttachments();
    return null;
  }
  await render(createElement(Probe));
  return {
    now: () => {
      if (current === undefined) throw new Error("it was not rendered");
      return current;
    },
  };
}

function summary({ files, problem, isReading }: Attachments): object {
  return { files: files.map(({ filename, mediaType }) => `${filename} ${mediaType}`), problem, isReading };
}

const image = new File(["image"], "dot.png", { type: "image/png" });

test("files that can't be read do not keep out the others, and each is named", async () => {
  const { now } = await openAttachments();
  const large = new File(["x"], "film.mp3", { type: "audio/mpeg" });
  Object.defineProperty(large, "size", { value: 10 * 1024 * 1024 });
  const files = [
    new File(["zip"], "all.zip", { type: "application/zip" }),
    image,
    new File([], "empty.txt", { type: "text/plain" }),
    large,
    new File(["# Notes"], "notes.md"),
    new File(["code"], "main.rs"),
    new File(["?"], "unknown"),
    new File(["a,b"], "table.csv", { type: "text/csv;charset=utf-8" }),
  ];
  await act(async () => await now().add(files));
  expect(summary(now())).toEqual({
    files: ["dot.png image/png", "notes.md text/plain", "main.rs text/plain", "table.csv text/csv"],
    problem:
      "“all.zip” is of a type that can’t be read. “empty.txt” is empty. “film.mp3” is too large: a message can hold 9 MB. “unknown” is of a type that can’t be read.",
    isReading: false,
  });
  expect(now().files[0]?.url).toBe(`data:image/png;base64,${btoa("image")}`);
});

test("a file whose reading fails is named, and the others are there", async () => {
  const { now } = await openAttachments();
  const broken = new File(["gone"], "gone.pdf", { type: "application/pdf" });
  vi.stubGlobal(
    "FileReader",
    class extends FileReader {
      override readAsDataURL(file: File): void {
        if (file === broken) this.dispatchEvent(new ProgressEvent("error"));
        else super.readAsDataURL(file);
      }
    },
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  await act(async () => await now().add([broken, image]));
  expect(summary(now())).toEqual({
    files: ["dot.png image/png"],
    problem: "“gone.pdf” could not be read.",
    isReading: false,
  });
});

test("files that are added at the same time are all there, and it says while they are read", async () => {
  const { now } = await openAttachments();
  let work: Promise<unknown> | undefined;
  act(() => {
    work = Promise.all([now().add([image]), now().add([image])]);
  });
  expect(now().isReading).toBe(true);
  await act(async () => void (await work));
  expect(summary(now())).toEqual({
    files: ["dot.png image/png", "dot.png image/png"],
    problem: undefined,
    isReading: false,
  });
  act(() => now().remove(0));
  expect(now().files).toHaveLength(1);
  act(() => now().clear());
  expect(summary(now())).toEqual({ files: [], problem: undefined, isReading: false });
});
