import { createHash } from "node:crypto";
import { sourceOf } from "../scorers/scorer.ts";
import type { Scorer } from "../trials/trial.ts";
import type { AnyCase } from "./eval-case.ts";

/** Identifies the work of a case: its trials are reused as long as this key stays the same. */
export function trialKey<Expected>(one: AnyCase<Expected>): string {
  const { metadata } = one;
  if ("recording" in one) {
    const { recording, runId, turn, turns } = one;
    return hash([recording.log, runId, turn, turns, metadata]);
  }
  return hash([describeInput(one.input), metadata]);
}

/** Identifies a case with its scorers: only cases with the same key are compared. Advisory scorers don't count. */
export function caseKey<Expected>(one: AnyCase<Expected>, scorers: readonly Scorer<Expected>[]): string {
  const deciding = scorers.filter(({ isAdvisory = false }) => !isAdvisory);
  return hash([trialKey(one), one.expected, deciding.map((scorer) => [scorerKey(scorer), scorer.threshold ?? 1])]);
}

/** Identifies what a scorer does. */
export function scorerKey(scorer: Scorer<never>): string {
  return scorer.key ?? `${nameOf(scorer)} ${sourceOf(scorer)}`;
}

/** A scorer's name in reports. */
export function nameOf({ scorerName, name }: Scorer<never>): string {
  return scorerName ?? (name === "" ? "scorer" : name);
}

/** A simulated user's model and service are objects. */
function describeInput(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("kind" in input)) return input;
  const { model, goal, character, maxMessages }: Record<string, unknown> = { ...input };
  const id = typeof model === "object" && model !== null && "id" in model ? model.id : model;
  return { model: id, goal, character, maxMessages };
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}
