import type { Content, Part } from "@pollux/core/wire";
import { type Answer, calls, join, json, parts, say, think } from "../brain/answer.ts";
import type { Brain, BrainTurn } from "../brain/brain.ts";
import { createRandom, type Random } from "../internal/random.ts";
import {
  type GroundedText,
  groundedLater,
  runCode,
  SAMPLE_SOURCES,
  sayFound,
  searchFor,
  supportFound,
} from "./answer/built-in-tools.ts";
import { imagePart, speechPart } from "./answer/media.ts";
import { wasSaid, withRemark } from "./answer/remark.ts";
import { type AnsweredCall, sayResponses } from "./answer/say-responses.ts";
import { sayForeign, sayMedia, sayWithoutTools, smallTalk } from "./answer/small-talk.ts";
import { typedValue } from "./answer/typed-value.ts";
import { functionsFor } from "./choose/choose-functions.ts";
import { declaredOf } from "./choose/declared.ts";
import { followUpCalls, isElliptic } from "./choose/follow-up.ts";
import {
  forcedCall,
  type MadeCall,
  type Plan,
  planCalls,
  type PlannedCall,
  type Situation,
} from "./choose/plan-calls.ts";
import { type Clause, clausesOf } from "./read/clauses.ts";
import { isForeign } from "./read/foreign.ts";
import { type Material, materialOf } from "./read/material.ts";
import { type PromptedJson, promptedJson } from "./read/prompted-json.ts";

/** Options of {@link improvise}. */
export interface ImproviseOptions {
  /** The same seed and the same conversation give the same answer. Default: `"pollux"`. */
  readonly seed?: string | undefined;
  /** Most steps with calls in one turn before it answers; mode `ANY` has no limit. Default: 3. */
  readonly maxSteps?: number | undefined;
  /**
   * How grounded answers are worded: `multibyte` uses characters of two to four bytes, to exercise the byte offsets of citations.
   * Default: `plain`, which is ASCII for an ASCII prompt.
   */
  readonly text?: GroundedText | undefined;
  /** Whether the first answer of a conversation says that it is the emulator's. Default: true; false where the program says so itself. */
  readonly remark?: boolean | undefined;
}

const MAX_EARLIER = 6;

/**
 * A brain for demos: calls the declared functions that fit the prompt, with arguments from it that satisfy their schemas, then
 * answers from the responses. Deterministic; the first answer of a conversation says that it is the emulator's.
 */
export function improvise(options: ImproviseOptions = {}): Brain {
  const { seed = "pollux", maxSteps = 3, text = "plain", remark = true } = options;
  return {
    answer(given) {
      const prompted = promptedJson(given);
      const turn = prompted === undefined ? given : withPrompt(given, prompted.prompt);
      const random = createRandom(`${seed} ${turn.prompt} ${turn.sincePrompt.length}`);
      const clauses = clausesOf(turn.prompt);
      const searched = searchedIn(turn, clauses);
      const subject = searched ?? materialOf(turn.prompt);
      const found = searchFor(turn, subject, text, searched !== undefined);
      const { asked, missing } = stepOf(turn, clauses, random, maxSteps);
      // Search parts belong to the first step of a turn.
      const fresh = !turn.sincePrompt.some((content) => content.parts.some((item) => item.toolCall !== undefined));
      const thought = thoughtOn(turn, asked, fresh ? found && (found.search?.kind ?? "web") : undefined);
      const thinks = thought === undefined ? parts() : think(thought);
      if (asked !== undefined) return join(thinks, ...(found !== undefined && fresh ? [found] : []), asked);
      return join(thinks, answerFor({ turn, clauses, subject, random, found, fresh, missing, text, remark, prompted }));
    },
  };
}

/** Why it calls what it calls, or why nothing; undefined for small talk. */
function thoughtOn(turn: BrainTurn, asked: Answer | undefined, searches: string | undefined): string | undefined {
  const wanted = [
    ...(searches === undefined ? [] : [searches === "files" ? "the documents" : "a web search"]),
    ...(asked?.parts.flatMap(({ part }) => part.functionCall?.name ?? []) ?? []),
  ];
  if (wanted.length > 0) return `To answer this, I need ${listed(wanted)}.`;
  const made = madeIn(turn.sincePrompt).map(({ name }) => name);
  if (made.length > 0) return `I have what ${listed(made)} returned: that is enough to answer.`;
  if (smallTalk(turn) !== undefined) return undefined;
  return turn.functions.length === 0 ? "I can answer this right away." : "This calls for none of the functions.";
}

function listed(names: readonly string[]): string {
  const all = [...new Set(names)];
  return all.length === 1 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** What a search of the service's own is for: a request that asks for it, or one that nothing else answers. */
function searchedIn(turn: BrainTurn, clauses: readonly Clause[]): Material | undefined {
  if (smallTalk(turn) !== undefined || isForeign(turn.prompt)) return undefined;
  const declared = turn.functions.map(declaredOf);
  const before = callsBefore(turn);
  const found = clauses.find(
    (clause) =>
      clause.isRequest &&
      functionsFor(clause, declared).length === 0 &&
      followUpCalls(clause, before, declared) === undefined &&
      (clause.implied.has("web") || (clause.material.expressions.length === 0 && clause.isQuestion)),
  );
  return found === undefined ? undefined : (changedSubject(turn, found) ?? found.material);
}

/** `and in Rome?` after `weather in Oslo?` is about the weather in Rome. */
function changedSubject(turn: BrainTurn, clause: Clause): Material | undefined {
  if (!isElliptic(clause) || clause.material.names.length === 0) return undefined;
  const asked = pastOf(turn).findLast(({ role, parts: given }) => role !== "model" && given.some(({ text }) => text));
  const last = materialOf(asked?.parts.map(({ text }) => text ?? "").join(" ") ?? "");
  const [first] = last.names;
  const end = last.names.at(-1);
  if (first === undefined || end === undefined) return undefined;
  const from = last.text.toLowerCase().indexOf(first.toLowerCase());
  const to = last.text.toLowerCase().lastIndexOf(end.toLowerCase()) + end.length;
  return materialOf(last.text.slice(0, from) + clause.material.names.join(" and ") + last.text.slice(to));
}

/** The calls of this step; none if it is time to answer. */
function stepOf(
  turn: BrainTurn,
  clauses: readonly Clause[],
  random: Random,
  maxSteps: number,
): { readonly asked?: Answer; readonly missing: readonly string[] } {
  const steps = turn.sincePrompt.filter((content) =>
    content.parts.some((item) => item.functionCall !== undefined),
  ).length;
  const mode = turn.request.toolConfig?.functionCallingConfig?.mode?.toUpperCase();
  if (turn.functions.length === 0 || (mode !== "ANY" && steps >= maxSteps)) return { missing: [] };
  const situation = situationOf(turn, clauses, random);
  const { calls: planned, missing }: Plan =
    mode === "ANY" && steps > 0 ? { calls: [], missing: [] } : planCalls(situation);
  const forced = mode === "ANY" && planned.length === 0 ? forcedCall(situation, steps) : undefined;
  const wanted = forced === undefined ? planned : [forced];
  return { missing, ...(wanted.length > 0 && { asked: calls(...wanted) }) };
}

function situationOf(turn: BrainTurn, clauses: readonly Clause[], random: Random): Situation {
  const past = pastOf(turn);
  const said = past
    .slice(-2 * MAX_EARLIER)
    .flatMap(({ role, parts: given }) =>
      given.flatMap(({ text, functionCall }) =>
        role === "model" && functionCall === undefined ? [] : [text ?? JSON.stringify(functionCall?.args ?? "")],
      ),
    )
    .filter((text) => text.length > 2);
  return {
    clauses,
    functions: turn.functions.map(declaredOf),
    earlier: said
      .toReversed()
      .slice(0, MAX_EARLIER)
      .map((text) => materialOf(text.slice(0, 2_000))),
    before: callsBefore(turn),
    made: madeIn(turn.sincePrompt),
    random,
  };
}

/** The contents before the prompt. */
function pastOf({ request: { contents }, sincePrompt }: BrainTurn): readonly Content[] {
  return contents.slice(0, contents.length - sincePrompt.length - 1);
}

/** The calls of the latest earlier step that had any. */
function callsBefore(turn: BrainTurn): readonly PlannedCall[] {
  const past = pastOf(turn);
  const latest = past.findLastIndex((content) => content.parts.some(({ functionCall }) => functionCall !== undefined));
  return (past[latest]?.parts ?? []).flatMap(({ functionCall }): PlannedCall[] =>
    functionCall === undefined ? [] : [{ name: functionCall.name, args: functionCall.args ?? {} }],
  );
}

/** The calls of a turn with their responses, which come in the same order. */
function madeIn(contents: readonly Content[]): MadeCall[] {
  return contents.flatMap((content, index) => {
    const asked = content.parts.flatMap(({ functionCall }) => functionCall ?? []);
    const answers = contents
      .slice(index + 1)
      .find(({ parts: given }) => given.some(({ functionResponse }) => functionResponse !== undefined));
    const responses = (answers?.parts ?? []).flatMap(({ functionResponse }) => functionResponse ?? []);
    return asked.map((call, at): MadeCall => {
      const response = responses.find(({ id }) => id !== undefined && id === call.id) ?? responses[at];
      return { name: call.name, args: call.args ?? {}, response };
    });
  });
}

interface Asked {
  readonly turn: BrainTurn;
  readonly clauses: readonly Clause[];
  /** What is searched for. */
  readonly subject: Material;
  readonly random: Random;
  readonly found: Answer | undefined;
  readonly fresh: boolean;
  readonly missing: readonly string[];
  readonly text: GroundedText;
  readonly remark: boolean;
  readonly prompted: PromptedJson | undefined;
}

function answerFor(asked: Asked): Answer {
  const { turn, subject, random, found, fresh, text } = asked;
  const config = turn.request.generationConfig ?? {};
  const answered = madeIn(turn.sincePrompt).flatMap(({ name, args, response }): AnsweredCall[] =>
    response === undefined ? [] : [{ name, args, response: response.response }],
  );
  const isEnum = config.responseMimeType === "text/x.enum";
  if (config.responseMimeType === "application/json" || isEnum) {
    const value = typedValue(turn, config.responseJsonSchema ?? config.responseSchema, answered, random);
    const said = isEnum ? say(String(value)) : json(value);
    return found === undefined ? said : join(said, found);
  }
  if (turn.model.audioOutput) return parts(speechPart(turn.prompt, config.speechConfig));
  if (asked.prompted !== undefined) {
    const value = typedValue(turn, asked.prompted.schema, answered, random);
    const block = `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``;
    return join(asked.prompted.fenced ? say(block) : json(value), ...(found === undefined ? [] : [found]));
  }
  const remarked = (words: string): string => (asked.remark ? withRemark(words, turn.request.contents) : words);
  const code = answered.length === 0 ? runCode(turn, subject, remarked) : undefined;
  const results = found === undefined ? "" : sayFound(turn, found, subject, text);
  const said = remarked(`${sentences(asked, answered, results)}${sayMedia(promptParts(turn), turn.files)}`);
  if (turn.model.imageOutput && wants(turn, "IMAGE", true)) return join(say(said), parts(imagePart()));
  if (code !== undefined) return found === undefined ? code : join(code, found);
  if (found === undefined) return say(said);
  const supported = supportFound(results, found);
  return join(say(said), fresh ? supported : groundedLater(supported, said, turn));
}

function sentences(
  { turn, clauses, missing, found }: Asked,
  answered: readonly AnsweredCall[],
  results: string,
): string {
  const pieces = [
    ...(answered.length > 0 ? [`${sayResponses(answered)}${sayForeign(turn)}`] : []),
    ...(found === undefined ? [] : [results]),
    ...(found === undefined || found.search?.kind === "files" || wasSaid(SAMPLE_SOURCES, turn.request.contents)
      ? []
      : [SAMPLE_SOURCES]),
  ].filter((piece) => piece !== "");
  if (pieces.length > 0) return pieces.join(pieces.some((piece) => piece.includes("\n")) ? "\n\n" : " ");
  return sayWithoutTools(turn, clauses, missing);
}

function wants(turn: BrainTurn, modality: string, byDefault = false): boolean {
  const modalities = turn.request.generationConfig?.responseModalities;
  return modalities === undefined || modalities.length === 0
    ? byDefault
    : modalities.some((word) => word.toUpperCase() === modality);
}

/** The same turn, as if its prompt were this. */
function withPrompt(turn: BrainTurn, prompt: string): BrainTurn {
  const contents: Content[] = [...pastOf(turn), { role: "user", parts: [{ text: prompt }] }, ...turn.sincePrompt];
  return { ...turn, prompt, request: { ...turn.request, contents } };
}

function promptParts(turn: BrainTurn): readonly Part[] {
  const { contents } = turn.request;
  return contents[contents.length - turn.sincePrompt.length - 1]?.parts ?? [];
}
