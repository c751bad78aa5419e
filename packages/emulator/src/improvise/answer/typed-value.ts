import type { BrainTurn } from "../../brain/brain.ts";
import { isFields } from "../../internal/json.ts";
import type { Random } from "../../internal/random.ts";
import { fillSchema, nameKey } from "../fill/fill-schema.ts";
import { materialOf } from "../read/material.ts";
import { wordsOf } from "../../internal/words.ts";
import { type AnsweredCall, sayResponses } from "./say-responses.ts";
import { REMARK } from "./talk.ts";

const MAX_KNOWN = 500;
const MAX_EARLIER = 4;
const MAX_TEXT = 8_000;

/** An answer that satisfies a response schema, from the responses, the prompt and the earlier conversation. */
export function typedValue(
  turn: BrainTurn,
  schema: unknown,
  answered: readonly AnsweredCall[],
  random: Random,
): unknown {
  const known = new Map<string, unknown>();
  const earlier = turn.request.contents
    .flatMap((content) => content.parts.map((part) => ({ role: content.role, part })))
    .filter(({ part }) => part.thought !== true);
  for (const { part } of earlier.toReversed())
    if (part.functionResponse !== undefined) remember(part.functionResponse.response, known);
  const texts = earlier
    .map(({ role, part }) => ({ role, text: (part.text ?? "").slice(0, MAX_TEXT).replaceAll(REMARK, "").trim() }))
    .filter(({ text }) => text !== "");
  const latest = texts.findLast(({ role }) => role === "model")?.text;
  const answer = answered.length > 0 ? sayResponses(answered) : latest;
  if (schema === undefined) return { answer: answer ?? turn.prompt.slice(0, MAX_TEXT) };
  const calls = earlier.flatMap(({ part }) =>
    part.functionCall === undefined ? [] : [JSON.stringify(part.functionCall.args ?? {})],
  );
  const elsewhere = [...texts.toReversed().map(({ text }) => text), ...calls.toReversed()].slice(0, MAX_EARLIER);
  const material = materialOf(turn.prompt);
  return fillSchema(schema, {
    material,
    elsewhere: elsewhere.map(materialOf),
    random,
    optional: "all",
    implied: wordsOf(material.plain),
    known,
    answer,
  });
}

/** Adds the values of a response by name; the first value of each name wins. */
function remember(value: unknown, known: Map<string, unknown>, depth = 0): void {
  if (depth > 10) return;
  if (Array.isArray(value)) for (const item of value.slice(0, 50)) remember(item, known, depth + 1);
  if (!isFields(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (known.size >= MAX_KNOWN) return;
    if (typeof item === "object") remember(item, known, depth + 1);
    else if (!known.has(nameKey(key))) known.set(nameKey(key), item);
  }
}
