import type { AskUserOptions } from "../ask-user/ask-user.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "../openapi/json.ts";
import type { McpAnswer, McpForm, McpQuestion, McpQuestionContext, OnElicit } from "./elicitation.ts";

/**
 * Puts a server's questions to the person with the function that `askUser` has: one question for each field of a form. An empty answer
 * leaves an optional field out; a page is opened by whoever answers `yes`.
 *
 * @param ask - The option `ask` of `askUser`.
 */
export function elicitByAsking(ask: NonNullable<AskUserOptions["ask"]>): OnElicit {
  return async (question, context) => {
    const callId = context.calls.length === 1 ? (context.calls[0]?.context.callId ?? "") : "";
    const put = (text: string, choices?: readonly string[]): Promise<string | undefined> =>
      ask({ question: text, ...(choices && { choices }) }, { signal: context.signal, callId });
    if (question.kind === "form") return await fillIn(question, introduction(question, context), put);
    const said = await put(`${introduction(question, context)}\nOpen ${question.url.href}?`, ["yes", "no"]);
    return said === undefined ? undefined : isYes(said);
  };
}

type Put = (text: string, choices?: readonly string[]) => Promise<string | undefined>;

async function fillIn({ schema }: McpForm, intro: string, put: Put): Promise<McpAnswer> {
  const fields = Object.entries(objectAt(schema, "properties"));
  const required = listAt(schema, "required");
  if (fields.length === 0) {
    const said = await put(intro, ["yes", "no"]);
    return said === undefined ? undefined : isYes(said);
  }
  const answers: Record<string, string | number | boolean | readonly string[]> = {};
  for (const [name, field] of fields) {
    if (!isObject(field)) continue;
    const isOptional = !required.includes(name);
    const title = `${textAt(field, "title") ?? name}${isOptional ? " (optional)" : ""}`;
    const description = textAt(field, "description");
    const said = await put(
      `${intro}\n${title}${description === undefined ? "" : `: ${description}`}`,
      choicesOf(field),
    );
    if (said === undefined) return undefined;
    if (said.trim() === "" && isOptional) continue;
    answers[name] = valueOf(said, field);
  }
  return answers;
}

function introduction({ message }: McpQuestion, { server }: McpQuestionContext): string {
  return `The MCP server "${server}" asks: ${message}`;
}

function choicesOf(field: JsonObject): readonly string[] | undefined {
  if (field["type"] === "boolean") return ["yes", "no"];
  const titled = listAt(field, "oneOf").map((one) => isObject(one) && one["const"]);
  const choices = [...listAt(field, "enum"), ...titled].filter((choice) => typeof choice === "string");
  return choices.length < 2 ? undefined : choices;
}

function valueOf(said: string, { type }: JsonObject): string | number | boolean | readonly string[] {
  if (type === "boolean") return isYes(said);
  if (type === "array") return said.split(",").map((one) => one.trim());
  const number = Number(said);
  return (type === "number" || type === "integer") && said.trim() !== "" && !Number.isNaN(number) ? number : said;
}

function isYes(said: string): boolean {
  return /^(?:y|yes|true)$/i.test(said.trim());
}
