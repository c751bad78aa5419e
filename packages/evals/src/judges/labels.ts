import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { basename } from "node:path";
import type { JsonObject } from "@pollux/core";
import { readJsonLines } from "../cases/json-lines.ts";
import type { Judgment } from "./make-judge.ts";

/** A person's verdict: what a judge sees, by default an `input` and an `answer`, and, as `label`, whether it should say yes. */
export interface JudgeLabel extends JsonObject {
  readonly label: boolean;
}

/** @throws {TypeError} For a line that is not a label, with its number. */
export function readLabels(
  given: string | readonly JudgeLabel[],
): readonly { readonly seen: JsonObject; readonly label: boolean }[] {
  const labels = typeof given === "string" ? readJsonLines(given).map(({ value }) => value) : given;
  return labels.map((one, index) => {
    // An entry that isn't an object has no label either.
    const { label, ...seen } = (one ?? {}) as JsonObject;
    if (typeof label === "boolean" && Object.keys(seen).length > 0) return { seen, label };
    const where = typeof given === "string" ? `${basename(given)}: label` : "label";
    throw new TypeError(`${where} ${index + 1} needs an "input", an "answer", and true or false as "label"`);
  });
}

/**
 * Asks a judge only once about each label of a file, and keeps its scores: for `next.jsonl` in `next.scores.jsonl` beside it. Keep both in
 * version control, so that the threshold stays the same.
 *
 * @param judge - Identifies the judge's question and model.
 */
export function askOnce(
  labels: string,
  judge: string,
  ask: (seen: JsonObject) => Promise<Judgment>,
): (seen: JsonObject) => Promise<Judgment> {
  const path = labels.replace(/(?:\.jsonl)?$/, ".scores.jsonl");
  const scores = new Map<string, number>();
  for (const { value } of existsSync(path) ? readJsonLines(path) : []) {
    // A line that is written below.
    const { of, score } = value as { readonly of: string; readonly score: number };
    scores.set(of, score);
  }
  return async (seen) => {
    const of = createHash("sha256")
      .update(JSON.stringify([judge, seen]))
      .digest("hex")
      .slice(0, 16);
    const before = scores.get(of);
    if (before !== undefined) return { score: before, reason: "", cost: 0 };
    const judged = await ask(seen);
    if (judged.score !== null) await appendFile(path, `${JSON.stringify({ of, score: judged.score })}\n`);
    return judged;
  };
}
