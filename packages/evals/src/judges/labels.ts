import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Json } from "@pollux/core";

/** A person's verdict on an answer; or on whatever else the judge sees. */
export type JudgeLabel = (
  | { readonly input: Json; readonly answer: Json }
  /** As the judge's `sees` gives it. */
  | { readonly sees: Json }
) & {
  /** Whether the judge should say yes. */
  readonly label: boolean;
};

/** What a judge sees, with a person's verdict. */
export interface LabelledView {
  readonly seen: Json;
  readonly label: boolean;
}

/** @throws {TypeError} For a line that is no label, with its number. */
export async function readLabels(
  labels: string | readonly JudgeLabel[],
  folder: string,
): Promise<readonly LabelledView[]> {
  if (typeof labels !== "string") return labels.map((label, index) => readLabel(label, `label ${index + 1}`));
  const lines = (await readFile(resolve(folder, labels), "utf8")).split("\n");
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${labels}, line ${index + 1}`;
    return [readLabel(parseLine(line, where), where)];
  });
}

function readLabel(given: unknown, where: string): LabelledView {
  // Looked at member by member.
  const { input, answer, sees, label } = (given ?? {}) as Record<string, Json | undefined>;
  const seen = sees ?? (input === undefined || answer === undefined ? undefined : { input, answer });
  if (seen === undefined || typeof label !== "boolean")
    throw new TypeError(`${where}: a label has "input", "answer", and "label" as true or false`);
  return { seen, label };
}

function parseLine(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new TypeError(`${where} is not JSON`, { cause });
  }
}

/**
 * What judges said of the labels in a file: `next.jsonl` has `next.scores.jsonl` beside it, to be kept with it, so that a judge is asked once
 * and its threshold stays.
 */
export class KeptScores {
  readonly #path: string;
  readonly #judge: string;
  #scores = new Map<string, number>();

  private constructor(path: string, judge: string) {
    this.#path = path;
    this.#judge = judge;
  }

  /** @param judge - Identifies what it is asked, and which model. */
  static async open(labels: string, folder: string, judge: string): Promise<KeptScores> {
    const kept = new KeptScores(resolve(folder, `${labels.replace(/\.jsonl$/, "")}.scores.jsonl`), judge);
    const text = await readFile(kept.#path, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
      throw error;
    });
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() === "") continue;
      const { key, score } = parseLine(line, `${kept.#path}, line ${index + 1}`) as { key: string; score: number };
      kept.#scores.set(key, score);
    }
    return kept;
  }

  get(seen: Json): number | undefined {
    return this.#scores.get(this.#keyOf(seen));
  }

  async add(seen: Json, score: number): Promise<void> {
    await appendFile(this.#path, `${JSON.stringify({ key: this.#keyOf(seen), score })}\n`);
  }

  #keyOf(seen: Json): string {
    const hash = createHash("sha256").update(JSON.stringify([this.#judge, seen]));
    return hash.digest("hex").slice(0, 16);
  }
}
