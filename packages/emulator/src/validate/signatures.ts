import type { Content, Part } from "@pollux/core/wire";
import { turnsOf } from "./history.ts";
import { type Problem, problem } from "./problem.ts";
import { isCall, isResponse, roleOf, type Subject } from "./subject.ts";

const EVERYWHERE = "skip_thought_signature_validator";
const DEVELOPER_ONLY = "context_engineering_is_the_way_to_go";

/** Thought signatures of the current turn (E-50 to E-55): the first violated rule. Older models ignore them. */
export function signatureProblem(subject: Subject): Problem | undefined {
  if (!subject.model.signaturesRequired) return undefined;
  const { contents } = subject.request;
  const start = currentTurnStart(contents);
  for (const turn of turnsOf(contents, subject.model)) {
    if (turn.role !== "model" || turn.start < start) continue;
    const found = missingProblem(turn.contents, turn.start, subject) ?? foreignProblem(turn.contents, subject);
    if (found) return found;
  }
  return undefined;
}

/** The current turn is everything after the last user content that contains more than function responses. */
function currentTurnStart(contents: readonly Content[]): number {
  return contents.findLastIndex((content) => roleOf(content) !== "model" && !content.parts.every(isResponse)) + 1;
}

/** In each step, only the first call must be signed; parallel calls have no signature. */
function missingProblem(step: readonly Content[], start: number, { surface, switches }: Subject): Problem | undefined {
  const parts = step.flatMap((content, offset) =>
    content.parts.map((part) => ({ part, position: start + offset + 1 })),
  );
  const first = parts.find(({ part }) => isCall(part));
  if (first && !first.part.thoughtSignature) {
    const name = `default_api:${first.part.functionCall?.name ?? ""}`;
    return problem(
      "E-50",
      surface === "vertex" ? vertexText(name, first.position) : developerText(name, first.position),
    );
  }
  const unsigned =
    switches.guesses &&
    parts.some(({ part }) => (part.toolCall ?? part.toolResponse) !== undefined && !part.thoughtSignature);
  return unsigned ? problem("E-52", "Tool call part is missing thought_signature") : undefined;
}

function developerText(name: string, position: number): string {
  return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`${name}\` , position ${position}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`;
}

function vertexText(name: string, position: number): string {
  return `Unable to submit request because function call \`${name}\` in the ${position}. content block is missing a \`thought_signature\`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures`;
}

function foreignProblem(step: readonly Content[], subject: Subject): Problem | undefined {
  for (const part of step.flatMap(({ parts }) => parts)) {
    if (!part.thoughtSignature || isDummy(part.thoughtSignature, subject.surface)) continue;
    const verdict = verdictOf(part.thoughtSignature, part, subject);
    if (verdict === "foreign") return problem("E-51", "Corrupted thought signature.");
    if (verdict === "moved" && refusesMoved(part, subject)) return problem("E-55", "Corrupted thought signature.");
  }
  return undefined;
}

/** Clients may use the URL-safe alphabet instead of the standard one, and omit the padding. */
function verdictOf(signature: string, part: Part, { signatures, model }: Subject): "issued" | "moved" | "foreign" {
  const verdict = signatures.check(signature, part, model.family);
  if (verdict !== "foreign") return verdict;
  const standard = standardBase64(signature);
  return standard === signature ? verdict : signatures.check(standard, part, model.family);
}

function standardBase64(text: string): string {
  const bare = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  return bare + "=".repeat((4 - (bare.length % 4)) % 4);
}

function refusesMoved(part: Part, { switches }: Subject): boolean {
  return switches.movedSignatures === "refuse" || (switches.movedSignatures === "calls" && part.text === undefined);
}

function isDummy(signature: string, surface: Subject["surface"]): boolean {
  const dummies = surface === "vertex" ? [EVERYWHERE] : [EVERYWHERE, DEVELOPER_ONLY];
  const plain = standardBase64(signature);
  return dummies.some((dummy) => signature === dummy || plain === btoa(dummy));
}
