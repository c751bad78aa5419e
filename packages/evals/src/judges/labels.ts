import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { JsonObject } from "@pollux/core";

/**
 * A person's verdict: what a judge sees, by default an `input` and an `answer`, and as `label` whether it should say yes.
 */
export interface JudgeLabel extends JsonObject {
  readonly label: boolean;
}

/** What a judge sees, with a person's verdict. */
interface LabelledView {
  readonly seen: JsonObject;
  readonly label: boolean;
}

/** @throws {TypeError} For a line that is no label, with its number. */
export async function readLabels(
  given: string | readonly JudgeLabel[],
  folder: string,
): Promise<readonly LabelledView[]> {
  const labels = typeof given === "string" ? await readLines(resolve(folder, given)) : given;
  return labels.map((one, index) => {
    // What of a file is no object has no label either.
    const { label, ...seen } = (one ?? {}) as JsonObject;
    if (typeof label === "boolean" && Object.keys(seen).length > 0) return { seen, label };
    const where = typeof given === "string" ? `${given}: label` : "label";
    throw new TypeError(`${where} ${index + 1} needs an "input", an "answer", and true or false as "label"`);
  });
}

/** What a judge said of labels. */
export interface KeptScores {
  get(seen: JsonObject): number | undefined;
  add(seen: JsonObject, score: number): Promise<void>;
}

/**
 * What judges said of the labels in a file: `next.jsonl` has `next.scores.jsonl` beside it, to be kept in version control with it, so that
 * labels are judged once and the threshold stays.
 *
 * @param judge - Identifies its question and its model.
 */
export async function openScores(labels: string, folder: string, judge: string): Promise<KeptScores> {
  const path = resolve(folder, labels.replace(/(?:\.jsonl)?$/, ".scores.jsonl"));
  // Lines that are written below.
  const lines = (existsSync(path) ? await readLines(path) : []) as readonly {
    readonly of: string;
    readonly score: number;
  }[];
  const scores = new Map(lines.map(({ of, score }) => [of, score]));
  const nameOf = (seen: JsonObject): string =>
    createHash("sha256")
      .update(JSON.stringify([judge, seen]))
      .digest("hex")
      .slice(0, 16);
  return {
    get: (seen) => scores.get(nameOf(seen)),
    add: (seen, score) => appendFile(path, `${JSON.stringify({ of: nameOf(seen), score })}\n`),
  };
}

async function readLines(path: string): Promise<readonly unknown[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (cause) {
      throw new TypeError(`${path}: line ${index + 1} is not JSON`, { cause });
    }
  });
}
