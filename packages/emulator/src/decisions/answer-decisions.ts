import type { Part } from "@pollux/core/wire";
import { stem, wordList } from "../internal/words.ts";
import type { IncomingRequest } from "../incoming-request.ts";
import { isFields } from "../internal/json.ts";
import { createRandom } from "../internal/random.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { estimateContent, type FileLookup } from "../respond/estimate-tokens.ts";
import { readBody } from "../validate/body.ts";
import { scopeOf } from "../validate/contract.ts";
import { type Problem, problem } from "../validate/problem.ts";
import type { ResolvedSwitches } from "../validate/switches.ts";
import { type DecisionQuestion, type DecisionRequest, findDecisionProblem } from "./decision-request.ts";

/** Blocks the input, or answers some of the questions; the emulator improvises the other answers. */
export interface ScriptedDecision {
  readonly blocked?: { readonly reason: string; readonly message?: string | undefined } | undefined;
  /** By question: the probability of a yes, or a weight for each option or index of a level. A missing weight is 0. */
  readonly answers?: Readonly<Record<string, Weights>> | undefined;
}

type Weights = number | Readonly<Record<string, number>>;

/** Options of the decisions endpoint. */
export interface DecisionOptions {
  /** Answers requests, for tests. Default: improvises from the words of input and questions. */
  readonly answer?: ((request: DecisionRequest) => ScriptedDecision | undefined) | undefined;
}

/** The version in the address of the decisions endpoint; undefined for any other address. */
export function parseDecisionRoute(method: string, url: URL, switches: ResolvedSwitches): string | undefined {
  const version = /^\/(v1|v1beta)\/decisions$/.exec(url.pathname)?.[1];
  return method !== "POST" || (version === "v1" && !switches.decisionsInV1) ? undefined : version;
}

/** Answers a request for decisions. */
export function answerDecisions(
  apiVersion: string,
  { body }: IncomingRequest,
  options: DecisionOptions,
  switches: ResolvedSwitches,
  fileOf: FileLookup,
): ResourceAnswer {
  const operation = "decisions";
  const wordCodes = switches.decisionErrors === "words";
  const refuse = (...problems: [Problem, ...Problem[]]): ResourceAnswer => ({ operation, problems, wordCodes });
  const read = readBody(body, "CreateDecisionRequest", scopeOf({ apiVersion }, "developer", "developer", switches));
  if (!("raw" in read)) return refuse(...read);
  const found = findDecisionProblem(read.value, apiVersion, switches);
  if (found !== undefined) return refuse(found);
  // Checked above.
  const request = read.value as unknown as DecisionRequest;
  const { model, questions } = request;
  const parts = readParts(request);
  const counted = [...parts, { text: JSON.stringify(questions) }];
  const { total, details } = estimateContent({ role: "user", parts: counted }, fileOf);
  if (total > 262_144) return refuse(problem("D-1", `The input token count (${total}) exceeds 262144.`));
  const byModality = details.map((one) => ({ modality: one.modality?.toLowerCase(), tokens: one.tokenCount }));
  const counts = { total_input_tokens: total, total_output_tokens: 0, total_tokens: total };
  const usage = { ...counts, input_tokens_by_modality: byModality };
  const { blocked, answers = {} } = options.answer?.(request) ?? {};
  if (blocked !== undefined) {
    if (switches.blockedDecisions === "refuse")
      return refuse(problem("D-1", `The input was blocked: ${blocked.reason}.`));
    const feedback = { block_reason: blocked.reason, block_reason_message: blocked.message };
    return { operation, model, body: { prompt_feedback: feedback, usage } };
  }
  const text = parts.flatMap((part) => part.text ?? []).join("\n");
  const decided = Object.entries(questions).map(([id, question]) => {
    const scripted = Object.hasOwn(answers, id) ? answers[id] : undefined;
    return [id, answerQuestion(question, scripted ?? improviseWeights(question, text))];
  });
  return { operation, model, body: { answers: Object.fromEntries(decided), usage } };
}

function readParts({ input }: DecisionRequest): readonly Part[] {
  return [input].flat().map((item) => {
    // Strings: checked with the request.
    const content = (isFields(item) ? item : { text: item }) as Readonly<Record<string, string | undefined>>;
    const { text, mime_type: mimeType = "", data, uri: fileUri = "" } = content;
    if (text !== undefined) return { text };
    return data === undefined ? { fileData: { mimeType, fileUri } } : { inlineData: { mimeType, data } };
  });
}

/** The answer for these weights, which need not add up to 1. */
function answerQuestion({ type, criteria = {} }: DecisionQuestion, weights: Weights): object {
  const weigh = (key: string): number => (typeof weights === "number" ? weights : (weights[key] ?? 0));
  if (type === "noul") {
    const noul = Math.min(0.99, Math.max(0.01, round(weigh("yes"))));
    return { type, noul, confidence: round(Math.max(noul, 1 - noul)) };
  }
  const keys = type === "choice" ? Object.keys(criteria).toSorted() : Object.keys(criteria);
  const sum = keys.reduce((total, key) => total + weigh(key), 0);
  const each = keys.map((key) => round(sum > 0 ? weigh(key) / sum : 1 / keys.length));
  const best = each.indexOf(Math.max(...each));
  // The likeliest key gets the remainder of the rounding.
  const confidence = round(1 - each.reduce((total, one, index) => (index === best ? total : total + one), 0));
  each[best] = confidence;
  const probabilities = Object.fromEntries(keys.map((key, index) => [key, each[index]]));
  if (type === "choice") return { type, choice: keys[best], probabilities, confidence };
  const score = round(each.reduce((total, one, index) => total + one * index, 0));
  return { type, score, probabilities, legend: Object.assign({}, criteria), confidence };
}

/** Weights by the words that the input shares with the question. */
function improviseWeights(question: DecisionQuestion, input: string): Weights {
  const { type, instructions, criteria = {} } = question;
  const known = new Set(wordList(input).map(stem));
  const random = createRandom(`${input}\n${JSON.stringify(question)}`);
  const fit = (...texts: readonly unknown[]): number => {
    const words = new Set(wordList(JSON.stringify(texts)).map(stem));
    return [...words].filter((word) => known.has(word)).length;
  };
  if (type === "noul") {
    const { true_description: yes, false_description: no } = isFields(criteria) ? criteria : {};
    return 1 / (1 + Math.exp(2 - 2 * (fit(instructions, yes) - fit(no)) - random.next()));
  }
  const weigh = (...texts: readonly unknown[]): number => Math.exp(2 * fit(...texts) + random.next());
  const weighed = Object.entries(criteria).map(([name, text]) => [name, weigh(type === "choice" && name, text)]);
  return Object.fromEntries(weighed);
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
