import { fieldsOf, listOf } from "./read-values.ts";
import type { FoundTurn } from "./results.ts";
import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import type { TurnFold } from "./turn-fold.ts";
import { stepsOf } from "./turn-step.ts";

/** Most turns that a search finds. */
const MAX_FOUND = 500;
/** Characters shown before and after the start of a match. */
const [BEFORE, AFTER] = [16, 100];

/** Turns that have all words, in any case: in messages, answers, names and arguments of calls, outputs and errors. */
export function searchSession(fold: SessionFold, query: string): readonly FoundTurn[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const turns: FoundTurn[] = [];
  if (words.length === 0) return turns;
  for (const run of fold.runs)
    for (const turn of run.turns.values()) {
      const text = textOfTurn(fold, run, turn);
      const lower = text.toLowerCase();
      if (!words.every((word) => lower.includes(word))) continue;
      if (turns.length === MAX_FOUND) return turns;
      turns.push({
        runId: run.runId,
        turn: turn.turn,
        number: turn.number,
        text: around(text, lower.indexOf(words[0] ?? "")),
      });
    }
  return turns;
}

function textOfTurn(fold: SessionFold, run: RunFold, turn: TurnFold): string {
  const texts: string[] = [];
  if (run.turns.values().next().value === turn) addTexts(listOf(run.entry["input"]), texts);
  for (const { value, error, type } of stepsOf(fold, turn)) {
    const { response, part, after, nested, failure, steered, summary, contents } = fieldsOf(value);
    const answers = listOf(nested).map((inner) => listOf(fieldsOf(inner)["responses"]).map(contentOf));
    addTexts(
      [contentOf(response), part, after, answers, failure, fieldsOf(steered)["contents"], summary, contents],
      texts,
    );
    addTexts([type === "answer" || type === "job" ? value : undefined, error?.["message"]], texts);
  }
  for (const { said } of turn.row().failedRequests ?? []) texts.push(said);
  return texts.join("\n");
}

function contentOf(response: unknown): unknown {
  return fieldsOf(response)["content"];
}

/** Members that people don't read: bytes, signatures and roles. */
const LEFT_OUT: ReadonlySet<string> = new Set(["thoughtSignature", "data", "role"]);

/** Collects all names and values in a JSON value. */
function addTexts(value: unknown, texts: string[]): void {
  if (typeof value === "string") texts.push(value);
  else if (typeof value === "number" || typeof value === "boolean") texts.push(String(value));
  else if (Array.isArray(value)) for (const one of value) addTexts(one, texts);
  else
    for (const [name, one] of Object.entries(fieldsOf(value))) {
      if (LEFT_OUT.has(name)) continue;
      // Names of Gemini's own members are in every part.
      if (!PART_MEMBERS.has(name)) texts.push(name);
      addTexts(one, texts);
    }
}

const PART_MEMBERS: ReadonlySet<string> = new Set(
  "parts text thought functionCall functionResponse name args id response output error inlineData fileData mimeType kind message".split(
    " ",
  ),
);

function around(text: string, at: number): string {
  const from = Math.max(0, at - BEFORE);
  const cut = text.slice(from, at + AFTER).replaceAll(/\s+/g, " ");
  return `${from > 0 ? "…" : ""}${cut}${at + AFTER < text.length ? "…" : ""}`;
}
