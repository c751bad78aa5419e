import type { FunctionDeclaration, Part } from "@pollux/core/wire";
import { type Answer, calls, join, json, parts, say, think } from "../brain/answer.ts";
import type { Brain, BrainTurn } from "../brain/brain.ts";
import { isFields } from "../internal/json.ts";
import { createRandom, type Random } from "../internal/random.ts";
import { evaluate } from "./arithmetic.ts";
import { groundedLater, runCode, sayFound, searchFor, supportFound } from "./built-in-tools.ts";
import { fittingFunctions, likeliestFunction, schemaOf, timesToCall } from "./choose-functions.ts";
import { fillSchema } from "./fill-schema.ts";
import { type Material, materialOf } from "./material.ts";
import { audioPart, imagePart } from "./media.ts";
import { EMULATED, quote, sayMedia, sayResponses } from "./say.ts";

/** Options of {@link improvise}. */
export interface ImproviseOptions {
  /** The same seed and the same conversation give the same answer. Default: `"pollux"`. */
  readonly seed?: string | undefined;
  /** Most steps with calls in one turn before it answers; mode `ANY` has no limit. Default: 3. */
  readonly maxSteps?: number | undefined;
}

const MAX_CALLS = 4;

/**
 * A brain for demos: calls the declared functions that match the prompt, with arguments that satisfy their schemas, then answers
 * from the responses. Deterministic, and its answers say that they are emulated.
 */
export function improvise(options: ImproviseOptions = {}): Brain {
  const { seed = "pollux", maxSteps = 3 } = options;
  return {
    answer(turn) {
      const random = createRandom(`${seed} ${turn.prompt} ${turn.sincePrompt.length}`);
      const prompt = materialOf(turn.prompt);
      const found = searchFor(turn, prompt);
      const asked = callsFor(turn, prompt, random, maxSteps);
      const thinks = think(
        asked === undefined
          ? "The request is clear; I can answer it."
          : "I need to call functions before I can answer.",
      );
      // Search parts belong to the first step of a turn.
      const fresh = !turn.sincePrompt.some((content) => content.parts.some((item) => item.toolCall !== undefined));
      if (asked !== undefined) return join(thinks, ...(found !== undefined && fresh ? [found] : []), asked);
      return join(thinks, answerFor(turn, prompt, random, found, fresh));
    },
  };
}

/** The calls of this step; undefined if it is time to answer. */
function callsFor(turn: BrainTurn, prompt: Material, random: Random, maxSteps: number): Answer | undefined {
  const { functions, sincePrompt } = turn;
  const mode = turn.request.toolConfig?.functionCallingConfig?.mode?.toUpperCase();
  const made = sincePrompt.flatMap((content) => content.parts.flatMap((item) => item.functionCall ?? []));
  const steps = sincePrompt.filter((content) => content.parts.some((item) => item.functionCall !== undefined)).length;
  if (mode === "ANY") {
    const fitting = steps === 0 ? plannedCalls(functions, prompt, prompt, random, new Set()) : [];
    const likeliest = likeliestFunction(functions, prompt);
    if (fitting.length > 0) return calls(...fitting);
    return likeliest === undefined
      ? undefined
      : calls({ name: likeliest.name, args: argsFor(likeliest, prompt, random, steps) });
  }
  if (functions.length === 0 || steps >= maxSteps) return undefined;
  const known =
    steps === 0
      ? prompt
      : materialOf(`${turn.prompt}\n${turn.responses.map((item) => JSON.stringify(item.response)).join("\n")}`);
  const planned = plannedCalls(functions, prompt, known, random, new Set(made.map((call) => call.name)));
  return planned.length > 0 ? calls(...planned) : undefined;
}

interface PlannedCall {
  readonly name: string;
  readonly args: { readonly [key: string]: unknown };
}

/** Calls to every matching function not called yet; those that lack information wait while others can run. */
function plannedCalls(
  functions: readonly FunctionDeclaration[],
  prompt: Material,
  known: Material,
  random: Random,
  made: ReadonlySet<string>,
): PlannedCall[] {
  const fits = fittingFunctions(functions, prompt).filter(({ declaration }) => !made.has(declaration.name));
  const chosen = fits.map(({ declaration }) => declaration);
  const ready = chosen.filter(
    (declaration) => fittingFunctions([declaration], { ...known, words: prompt.words })[0]?.ready === true,
  );
  const now = ready.length > 0 || made.size > 0 ? ready : chosen.slice(0, 1);
  const planned = now.flatMap((declaration) =>
    Array.from({ length: now.length === 1 ? timesToCall(declaration, known) : 1 }, (_, index) => ({
      name: declaration.name,
      args: argsFor(declaration, known, random, index),
    })),
  );
  return planned.slice(0, MAX_CALLS);
}

function argsFor(
  declaration: FunctionDeclaration,
  material: Material,
  random: Random,
  index: number,
): { readonly [key: string]: unknown } {
  const schema = schemaOf(declaration);
  if (Object.keys(schema).length === 0) return {};
  const args = fillSchema({ type: "object", ...schema }, { material, random, optional: false, index });
  return isFields(args) ? args : {};
}

function answerFor(
  turn: BrainTurn,
  prompt: Material,
  random: Random,
  found: Answer | undefined,
  fresh: boolean,
): Answer {
  const config = turn.request.generationConfig ?? {};
  const schema = config.responseJsonSchema ?? config.responseSchema;
  const responses = turn.sincePrompt.flatMap((content) => content.parts.flatMap((item) => item.functionResponse ?? []));
  if (config.responseMimeType === "application/json" || config.responseMimeType === "text/x.enum") {
    const heard = [conversationText(turn), ...responses.map((item) => JSON.stringify(item.response))].join("\n");
    const material = materialOf(heard);
    const value =
      schema === undefined
        ? { emulated: true, prompt: turn.prompt }
        : fillSchema(schema, { material, random, optional: true });
    const said = config.responseMimeType === "text/x.enum" ? say(String(value)) : json(value);
    return found === undefined ? said : join(said, found);
  }
  if (wants(turn, "AUDIO") || (turn.model.family === "speech" && turn.model.id.includes("tts")))
    return parts(audioPart());
  const said = `${EMULATED} ${sentences(turn, prompt, responses, found)}${sayMedia(promptParts(turn), turn.files)}`;
  if (turn.model.imageOutput && wants(turn, "IMAGE", true)) return join(say(said), parts(imagePart()));
  const code = responses.length === 0 ? runCode(turn, prompt) : undefined;
  if (code !== undefined) return found === undefined ? code : join(code, found);
  if (found === undefined) return say(said);
  const supported = supportFound(turn, found);
  return join(say(said), fresh ? supported : groundedLater(supported, said, turn));
}

function sentences(
  turn: BrainTurn,
  prompt: Material,
  responses: Parameters<typeof sayResponses>[0],
  found: Answer | undefined,
): string {
  const pieces = [
    ...(responses.length > 0 ? [sayResponses(responses)] : []),
    ...recall(turn),
    ...(found === undefined ? [] : [sayFound(turn, found)]),
  ];
  if (pieces.length > 0) return pieces.join(" ");
  const [expression] = prompt.expressions;
  const result = expression === undefined ? undefined : evaluate(expression);
  if (result !== undefined) return `${expression} is ${result}.`;
  const turns = turn.request.contents.filter((content) => content.role === "model").length;
  const before = turns === 0 ? "" : ` This is answer ${turns + 1} of our conversation.`;
  return `You said ${quote(turn.prompt)}.${before} No model ran: this is Pollux’s local stand-in for the Gemini API.`;
}

/** What was said first, for a prompt that asks about the conversation itself. */
function recall(turn: BrainTurn): string[] {
  const { contents } = turn.request;
  const asks =
    /\b(?:first|earlier|before|remember|previous|previously)\b/i.test(turn.prompt) &&
    /\b(?:I|my|me|we)\b/i.test(turn.prompt);
  if (!asks || !contents.some((content) => content.role === "model" && !turn.sincePrompt.includes(content))) return [];
  const first = (contents[0]?.parts ?? []).map((item) => item.text ?? "").join(" ");
  return [`You first said ${quote(first)}.`];
}

function wants(turn: BrainTurn, modality: string, byDefault = false): boolean {
  const modalities = turn.request.generationConfig?.responseModalities;
  return modalities === undefined || modalities.length === 0
    ? byDefault
    : modalities.some((word) => word.toUpperCase() === modality);
}

function promptParts(turn: BrainTurn): readonly Part[] {
  const { contents } = turn.request;
  return contents[contents.length - turn.sincePrompt.length - 1]?.parts ?? [];
}

function conversationText(turn: BrainTurn): string {
  const texts = turn.request.contents.flatMap((content) =>
    content.parts.map((item) => (item.thought === true ? "" : (item.text ?? ""))),
  );
  return texts
    .filter((line) => line !== "")
    .join("\n")
    .replaceAll(EMULATED, "");
}
