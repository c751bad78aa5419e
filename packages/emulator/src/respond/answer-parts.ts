import type { Part } from "@pollux/core/wire";
import type { Answer, AnswerPart } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import type { Signer } from "../signatures.ts";
import { callsOfTurn } from "../validate/open-calls.ts";
import { searchEntryPoint } from "./grounding.ts";

const ID_LENGTH = 8;
const TOOL_TYPES = { web: "GOOGLE_SEARCH_WEB", maps: "GOOGLE_MAPS", url: "URL_CONTEXT", files: "FILE_SEARCH" } as const;

/** The parts of an answer as the service would send them: thoughts only on request, ids, server-side tool parts. */
export function answerParts(answer: Answer, turn: BrainTurn, resumed = false): AnswerPart[] {
  const { request, model } = turn;
  const includeThoughts = request.generationConfig?.thinkingConfig?.includeThoughts === true;
  const visible = answer.parts.filter(({ part }) => includeThoughts || part.thought !== true);
  const byService = callsOfTurn(visible.map(({ part }) => part)).answered;
  const withIds = visible.map((item) => ({
    ...item,
    part: answer.callIds === false || byService.includes(item.part) ? item.part : withId(item.part, turn),
  }));
  const thoughts = withIds.filter(({ part }) => part.thought === true);
  const others = withIds.filter(({ part }) => part.thought !== true);
  const circulates = request.toolConfig?.includeServerSideToolInvocations === true && model.builtInsWithFunctions;
  const searched = circulates && answer.search !== undefined && !resumed;
  return [...thoughts, ...(searched ? serverToolParts(answer, turn) : []), ...others];
}

function withId(part: Part, turn: BrainTurn): Part {
  const call = part.functionCall;
  // An old proxy doesn't know the field.
  if (call === undefined || call.id !== undefined || !turn.model.callIds || turn.profile === "old-proxy") return part;
  return { ...part, functionCall: { ...call, id: turn.random.id(ID_LENGTH) } };
}

function serverToolParts(answer: Answer, turn: BrainTurn): AnswerPart[] {
  const { kind = "web", queries = [], sources = [] } = answer.search ?? {};
  const id = turn.random.id(ID_LENGTH);
  const toolType = TOOL_TYPES[kind];
  if (kind === "files") return [{ part: { toolCall: { toolType, id } } }, { part: { toolResponse: { toolType, id } } }];
  const args = kind === "url" ? { urls: sources.map((source) => source.uri ?? source.title) } : { queries };
  const response = kind === "web" ? { search_suggestions: searchEntryPoint(queries) } : {};
  return [{ part: { toolCall: { toolType, args, id } } }, { part: { toolResponse: { toolType, response, id } } }];
}

/** Joins adjacent unsigned text parts of one kind, as in a unary answer. */
export function joinText(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const joins = isPlainText(last) && isPlainText(part) && (last.thought === true) === (part.thought === true);
    if (joins) joined[joined.length - 1] = { ...last, text: `${last.text}${part.text}` };
    else joined.push(part);
  }
  return joined;
}

function isPlainText(part: Part | undefined): part is Part & { readonly text: string } {
  return part?.text !== undefined && part.thoughtSignature === undefined;
}

const LARGE_SIGNATURE_BYTES = 78_000;

/**
 * Signs the parts that the service signs: the first of several parallel calls, each server-side tool part, each image, and
 * (Gemini 3 and newer) the last text of an answer without calls.
 */
export function signParts(
  parts: readonly Part[],
  turn: BrainTurn,
  signer: Signer,
  options: { readonly text: boolean; readonly large: boolean },
): Part[] {
  const { model } = turn;
  if (!model.signaturesIssued) return [...parts];
  const firstCall = parts.findIndex((part) => part.functionCall !== undefined);
  const lastText = parts.findLastIndex((part) => part.text !== undefined && part.thought !== true);
  const signsText = options.text && firstCall === -1 && model.generation >= 3;
  return parts.map((part, index) => {
    const signs =
      index === firstCall ||
      (signsText && index === lastText) ||
      part.toolCall !== undefined ||
      part.toolResponse !== undefined ||
      (part.inlineData !== undefined && model.generation >= 3);
    if (!signs || part.thoughtSignature !== undefined) return part;
    // The search results are inside the signature; one in eight is very large.
    const large = options.large && part.toolResponse !== undefined && turn.random.int(1, 8) === 1;
    return { ...part, thoughtSignature: signer.sign(part, model.family, large ? LARGE_SIGNATURE_BYTES : undefined) };
  });
}
