import { type Fields, isFields } from "../internal/json.ts";
import { type Problem, problem } from "../validate/problem.ts";
import type { ResolvedSwitches } from "../validate/switches.ts";

/** A question as received; `criteria` describe yes and no, describe the options, or list the levels of a score. */
export interface DecisionQuestion {
  readonly type: "noul" | "choice" | "score";
  readonly instructions: unknown;
  readonly criteria?: Readonly<Record<string, unknown>> | readonly string[] | undefined;
}

/** A valid request; the input is a text, a content or a list of contents, such as `{ "type": "text", "text": "…" }`. */
export interface DecisionRequest {
  readonly model: string;
  readonly input: unknown;
  readonly questions: Readonly<Record<string, DecisionQuestion>>;
}

/** The first problem with a request; `undefined` for a valid one. The conditions are documented, the messages are guesses. */
export function findDecisionProblem(request: Fields, version: string, switches: ResolvedSwitches): Problem | undefined {
  const { model, input, questions } = request;
  const id = String(model).replace("models/", "");
  if (id !== "gemini-decision-1" && !switches.extraModels.includes(id)) {
    const message = `models/${id} is not found for API version ${version}, or is not supported for decisions.`;
    return { rule: "D-1", message, status: "NOT_FOUND" };
  }
  const entries = Object.entries(isFields(questions) ? questions : {});
  const found =
    findContentProblem(input, "input", false) ??
    (entries.length >= 1 && entries.length <= 1_000 ? undefined : "questions: must have 1 to 1000 entries") ??
    firstOf(entries, ([name, question]) => findQuestionProblem(name, question, switches));
  return found === undefined ? undefined : problem("D-1", `* CreateDecisionRequest.${found}`);
}

function findQuestionProblem(id: string, question: unknown, switches: ResolvedSwitches): string | undefined {
  const at = `questions[${id}]`;
  // Its fields have been checked against the descriptor.
  const { type, instructions, criteria } = question as Fields;
  if (!/^[\w-]{1,64}$/.test(id)) return `${at}: an id must match [A-Za-z0-9_-]{1,64}`;
  if (type !== "noul" && type !== "choice" && type !== "score") return `${at}.type: must be noul, choice or score`;
  const wrong = findContentProblem(instructions, `${at}.instructions`, true);
  if (wrong !== undefined) return wrong;
  const where = `${at}.criteria`;
  const entries = Object.entries(isFields(criteria) || Array.isArray(criteria) ? criteria : {});
  if (type === "noul" ? Array.isArray(criteria) : Array.isArray(criteria) !== (type === "score"))
    return `${where}: must be a ${type === "score" ? "list of levels" : "map"}`;
  if (type !== "noul" && (entries.length < 2 || entries.length > 255)) return `${where}: must have 2 to 255 entries`;
  const isName = { noul: /^(?:true|false)_description$/, choice: /^(?!\s)\P{Cc}{1,128}(?<!\s)$/u, score: /^/ }[type];
  return firstOf(entries, ([name, text]) => {
    if (!isName.test(name)) return `${where}: unexpected key ${JSON.stringify(name)}`;
    const isNull = type === "choice" && text === null && switches.decisionNullDescriptions;
    return isNull || isFilled(text) ? undefined : `${where}[${name}]: must be a text that is not empty`;
  });
}

/** A text, a content, or a list of contents. */
function findContentProblem(value: unknown, at: string, textOnly: boolean): string | undefined {
  if (Array.isArray(value) && value.length > 0 && value.every(isFields))
    return firstOf([...value.entries()], ([index, item]) => findContentProblem(item, `${at}[${index}]`, textOnly));
  const { type, text, mime_type: mimeType, data, uri } = isFields(value) ? value : { type: "text", text: value };
  if (type === "text") return isFilled(text) ? undefined : `${at}: must have a text that is not empty`;
  if (textOnly || !["image", "audio", "video", "document"].includes(String(type)))
    return `${at}.type: must be text${textOnly ? "" : ", image, audio, video or document"}`;
  const hasSource = isFilled(data) !== isFilled(uri) && isFilled(mimeType);
  return hasSource ? undefined : `${at}: must have a mime_type, and either data or a uri`;
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  return items.map(find).find((found) => found !== undefined);
}

function isFilled(text: unknown): boolean {
  return typeof text === "string" && text.trim() !== "";
}
