import { buildContents, type RunInput } from "../agent/run-input.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { ApiShapeError, ApiStatusError } from "../errors/api-errors.ts";
import { asObject, fingerprint, isObject } from "../internal/json.ts";
import { checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import {
  asOf,
  checkPrices,
  computeCost,
  type Cost,
  findPrices,
  type PriceTable,
  readUsage,
  type Usage,
} from "../model/usage.ts";
import type { NestedRun, ToolContext } from "../tool/tool.ts";
import { type CallOptions, CLIENT_OPTIONS, type GeminiClientOptions } from "../wire/client-options.ts";
import { ApiClient, encodeJson } from "../wire/client.ts";
import { checkRequestSize } from "../wire/http/encode-request.ts";
import type { Part } from "../wire/types/content.ts";

/** A question in the service's format; made by {@link yesNo}, {@link choice} or {@link score}. */
export interface Question<Answer = YesNoAnswer | ChoiceAnswer<string> | ScoreAnswer<string>> {
  readonly type: "noul" | "choice" | "score";
  readonly instructions: string;
  readonly criteria?: readonly string[] | { readonly [name: string]: string | undefined } | undefined;
  /** Never set: the type of its answer. */
  readonly "~answer"?: Answer | undefined;
}

/** Questions by id: 1 to 64 letters, digits, `_` or `-`. */
export type Questions = Readonly<Record<string, Question>>;

/** Probabilities are from 0 to 1; the service keeps that of a yes between 0.01 and 0.99. `confidence` is the given answer's. */
export type YesNoAnswer = { readonly yes: boolean; readonly probability: number; readonly confidence: number };

/** The most probable option, and the probability of each. */
export interface ChoiceAnswer<Option extends string> {
  readonly choice: Option;
  readonly probabilities: { readonly [Name in Option]: number };
  readonly confidence: number;
}

/** `score` is a mean, 0 for the lowest level, so it may lie between two levels; `level` is the most probable one. */
export interface ScoreAnswer<Level extends string> {
  readonly score: number;
  readonly level: Level;
  readonly probabilities: { readonly [Name in Level]: number };
  readonly confidence: number;
}

/** Options of {@link decide}, including the client's, such as `endpoint`. */
export interface DecideOptions extends GeminiClientOptions, Pick<CallOptions, "signal" | "tap"> {
  /** @defaultValue "gemini-decision-1" */
  readonly model?: string | undefined;
  /** Prices for the `cost`. @defaultValue in a tool, the prices of the `run` */
  readonly prices?: PriceTable | undefined;
  /** The context of a tool, a guardrail or `needsApproval`: for its signal and, in a tool, to record the decision and its cost. */
  readonly run?: (Pick<ToolContext, "signal"> & Partial<Pick<ToolContext, "step" | "attach" | "parent">>) | undefined;
}

/** An answer to each question. */
export type Answers<Asked extends Questions> = { readonly [Id in keyof Asked]: NonNullable<Asked[Id]["~answer"]> };

/** Plain JSON. An input is blocked as a whole, for a reason such as `safety` or `other`. `cost` is absent without a price. */
export type Decision<Asked extends Questions = Questions> = Omit<Cost, "unpriced"> & { readonly usage: Usage } & (
    | { readonly status: "decided"; readonly answers: Answers<Asked> }
    | { readonly status: "blocked"; readonly blockReason: string; readonly message?: string | undefined }
  );

const OPTIONS: OptionNames<DecideOptions> = { ...CLIENT_OPTIONS, ...namesIn("model prices run signal tap") };

/**
 * Answers 1 to 1,000 questions about one input, with calibrated probabilities. Experimental.
 *
 * @param input - As for a run. From contents, the service gets texts and media in order, without roles.
 * @throws {TypeError} For no input, and for a question that the service would refuse.
 * @throws {ConfigurationError} For an endpoint without decisions: only the Developer API has them, in version v1beta.
 * @throws {ApiStatusError} When the service refuses the request, after retries where they help.
 * @throws {ApiShapeError} When the answers do not match the questions.
 */
export async function decide<const Asked extends Questions>(
  input: RunInput,
  questions: Asked,
  options: DecideOptions = {},
): Promise<Decision<Asked>> {
  checkOptions("decide()", options, OPTIONS);
  const { model = "gemini-decision-1", run, tap, prices = run?.parent?.prices } = options;
  if (prices !== undefined) checkPrices(prices);
  checkQuestions(questions);
  const contents = buildContents(input, { id: model, capabilities: { family: "decision", officeInput: true } });
  const request = { model, input: contents.flatMap(({ parts }) => parts.flatMap(toItem)), questions };
  if (request.input.length === 0) throw new TypeError("decide() needs an input with text or media");
  const client = new ApiClient(options);
  const { kind, baseUrl } = client.endpoint;
  if (kind !== "developer")
    throw new ConfigurationError(`Only the Developer API has decisions; if ${baseUrl} has, set kind: "developer".`);
  const body = encodeJson(request);
  checkRequestSize(body.byteLength, options.maxRequestBytes, client.endpoint);
  const signal = AbortSignal.any([run?.signal, options.signal].filter((one) => one !== undefined));
  const ask = async (): Promise<{ readonly decision: Decision<Asked>; readonly spent: NestedRun }> => {
    const call = { operation: "decisions", model, method: "POST", path: "decisions", body } as const;
    const sent = client.onCollection(client.object(call, { signal, tap }), "decisions", "they need v1beta");
    // The answers are checked one by one.
    const { answers, usage: counted, prompt_feedback: feedback } = (await sent.catch(readBlocked)) as DecisionResponse;
    const { total_input_tokens: promptTokenCount, total_output_tokens: candidatesTokenCount } = counted ?? {};
    const usage = readUsage(counted && { promptTokenCount, candidatesTokenCount });
    const price = findPrices(prices, model.replace("models/", ""));
    const used = { usage, ...(price && { cost: computeCost(usage, price), ...asOf(prices) }) };
    const spent = { ...used, responses: [], ...(prices && !price && { unpriced: model }) };
    const { block_reason: blockReason, block_reason_message: message } = feedback ?? {};
    if (blockReason === undefined)
      return { decision: { status: "decided", answers: readAnswers(questions, answers), ...used }, spent };
    return { decision: { status: "blocked", blockReason, ...(message !== undefined && { message }), ...used }, spent };
  };
  const { decision, spent } = await (run?.step?.(`decide:${fingerprint(request)}`, ask) ?? ask());
  run?.attach?.(spent);
  return decision;
}

interface DecisionResponse {
  readonly answers?: unknown;
  readonly usage?: { readonly total_input_tokens?: number; readonly total_output_tokens?: number };
  readonly prompt_feedback?: { readonly block_reason?: string; readonly block_reason_message?: string };
}

/** A part in this endpoint's format; nothing for a blank text, such as that of a part that only has a signature. */
function toItem({ text, inlineData, fileData, mediaResolution, videoMetadata }: Part): object {
  if (text !== undefined) return text.trim() === "" ? [] : { type: "text", text };
  const mimeType = inlineData?.mimeType ?? fileData?.mimeType;
  if (mimeType === undefined || videoMetadata !== undefined)
    throw new TypeError("decide() takes texts, and whole media with their type: leave out all other parts");
  const type = /^(?:image|audio|video)(?=\/)/.exec(mimeType)?.[0] ?? "document";
  const resolution = type === "image" && mediaResolution?.level.replace("MEDIA_RESOLUTION_", "").toLowerCase();
  const source = inlineData === undefined ? { uri: fileData?.fileUri } : { data: inlineData.data };
  return { type, mime_type: mimeType, ...source, ...(resolution && { resolution }) };
}

/** Some endpoints report a blocked input as a 400. */
function readBlocked(error: unknown): DecisionResponse {
  if (!(error instanceof ApiStatusError) || error.status !== 400) throw error;
  const named = /^(?:image_safety|safety|blocklist|prohibited_content|blocked)$/i.exec(error.reason ?? "")?.[0];
  if (named === undefined && !/\b(?:is|was|been) blocked\b/i.test(error.message)) throw error;
  return { prompt_feedback: { block_reason: named?.toLowerCase() ?? "other", block_reason_message: error.message } };
}

function readAnswers<Asked extends Questions>(questions: Asked, answers: unknown): Answers<Asked> {
  const given = asObject(answers);
  const read = Object.entries(questions).map(([id, question]) => [id, readAnswer(question, given[id])] as const);
  const [wrong] = read.find(([, answer]) => answer === undefined) ?? [];
  if (wrong !== undefined || Object.keys(given).length > read.length)
    throw new ApiShapeError(
      wrong === undefined
        ? "The service answered questions that were not asked."
        : `The service gave no valid answer to the question "${wrong}".`,
      "$.answers",
      "",
    );
  // Each answer was read by its question.
  return Object.fromEntries(read) as Answers<Asked>;
}

function readAnswer(question: Question, answer: unknown): object | undefined {
  if (!isObject(answer)) return undefined;
  const { type, noul, choice: chosen, score: mean, probabilities, confidence } = answer;
  if (type !== question.type || !(confidence === undefined || isProbability(confidence))) return undefined;
  if (type === "noul") {
    if (!isProbability(noul)) return undefined;
    return { yes: noul >= 0.5, probability: noul, confidence: confidence ?? Math.max(noul, 1 - noul) };
  }
  const names = namesOf(question);
  const given = asObject(probabilities);
  const each = names.map((name, index) => given[type === "score" ? index : name]);
  if (Object.keys(given).length !== names.length || !each.every(isProbability)) return undefined;
  const byName = Object.fromEntries(names.map((name, index) => [name, each[index]]));
  const picked = type === "score" ? each.indexOf(Math.max(...each)) : names.findIndex((name) => name === chosen);
  const rest = { probabilities: byName, confidence: confidence ?? each[picked] };
  if (type === "choice") return picked === -1 ? undefined : { choice: chosen, ...rest };
  const isOnScale = typeof mean === "number" && isProbability(mean / (names.length - 1));
  return isOnScale ? { score: mean, level: names[picked], ...rest } : undefined;
}

function isProbability(value: unknown): value is number {
  // A sum may exceed 1 by a rounding error.
  return typeof value === "number" && value >= 0 && value <= 1.000_1;
}

/** Asks whether something is true. @param means - What counts as yes and as no, if it is not obvious. */
export function yesNo(instructions: string, means?: { yes?: string; no?: string }): Question<YesNoAnswer> {
  const criteria = means && { true_description: means.yes, false_description: means.no };
  return { type: "noul", instructions, ...(criteria && { criteria }) };
}

/** Asks which of 2 to 255 options applies. @param options - Their names, or an object with a description of each. */
export function choice<const Option extends string>(
  instructions: string,
  options: readonly Option[] | { readonly [Name in Option]: string },
): Question<ChoiceAnswer<Option>> {
  // Without a description, an option's name describes it.
  const criteria = Array.isArray(options) ? Object.fromEntries(options.map((name) => [name, name])) : options;
  return { type: "choice", instructions, criteria };
}

/** Asks where something is on a scale. @param levels - 2 to 255 from lowest to highest; the service advises up to 10. */
export function score<const Level extends string>(
  instructions: string,
  levels: readonly Level[],
): Question<ScoreAnswer<Level>> {
  return { type: "score", instructions, criteria: levels };
}

/** Levels, or names of options; none for a yes/no question. */
export function namesOf({ type, criteria = [] }: Question): readonly string[] {
  return type === "noul" ? [] : Array.isArray(criteria) ? criteria : Object.keys(criteria);
}

/** @throws {TypeError} For what the service would refuse, with the question's id. */
export function checkQuestions(questions: Questions): void {
  const entries = Object.entries(isObject(questions) ? questions : {});
  if (entries.length < 1 || entries.length > 1_000)
    throw new TypeError(`decide() takes 1 to 1,000 questions, got ${entries.length}`);
  for (const [id, question] of entries) {
    const isId = /^[\w-]{1,64}$/.test(id);
    const problem = isId ? findProblem(question) : "an id has 1 to 64 letters, digits, underscores or hyphens";
    if (problem !== undefined) throw new TypeError(`question ${JSON.stringify(id.slice(0, 100))}: ${problem}`);
  }
}

function findProblem(question: Question): string | undefined {
  if (!isObject(question) || !["noul", "choice", "score"].includes(question.type))
    return "make it with yesNo(), choice() or score()";
  const { type, instructions, criteria = {} } = question;
  if (!isFilled(instructions)) return "its instructions must be a non-empty text; media go into the input";
  const names = namesOf(question);
  if (type !== "noul" && (names.length < 2 || names.length > 255 || new Set(names).size < names.length))
    return `it needs 2 to 255 different ${type === "score" ? "levels" : "options"}, got ${new Set(names).size}`;
  if (type === "choice" && !names.every((name) => /^(?!\s)\P{Cc}{1,128}(?<!\s)$/u.test(name)))
    return "the name of an option must have 1 to 128 characters, no spaces around it and no control characters";
  const texts = Object.values(criteria).filter((text) => type !== "noul" || text !== undefined);
  return texts.every(isFilled) ? undefined : "its levels and descriptions must be non-empty texts";
}

function isFilled(text: unknown): boolean {
  return typeof text === "string" && text.trim() !== "";
}
