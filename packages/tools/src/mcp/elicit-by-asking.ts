import type { AskUserOptions } from "../ask-user/ask-user.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "../openapi/json.ts";
import type { McpAnswer, McpForm, McpQuestion, McpQuestionContext, OnElicit } from "./elicitation.ts";

/**
 * Puts a server's questions to the person through the `ask` function of `askUser`: one question for each field of a form. An empty answer
 * leaves an optional field out; a person who answers `yes` opens the page.
 *
 * @param ask - The option `ask` of `askUser`.
 */
export function elicitByAsking(ask: NonNullable<AskUserOptions["ask"]>): OnElicit {
  return async (question, context) => {
    const callId = context.calls.length === 1 ? (context.calls[0]?.context.callId ?? "") : "";
    const put = (text: string, choices?: readonly string[]): Promise<string | undefined> =>
      ask({ question: text, ...(choices && { choices }) }, { signal: context.signal, callId });
    if (question.kind === "form") return await fillIn(question, introduction(question, context), put);
    const reply = await put(`${introduction(question, context)}\nOpen ${question.url.href}?`, ["yes", "no"]);
    return reply === undefined ? undefined : isYes(reply);
  };
}

type Put = (text: string, choices?: readonly string[]) => Promise<string | undefined>;

async function fillIn({ schema }: McpForm, intro: string, put: Put): Promise<McpAnswer> {
  const fields = Object.entries(objectAt(schema, "properties"));
  const required = listAt(schema, "required");
  if (fields.length === 0) {
    const reply = await put(intro, ["yes", "no"]);
    return reply === undefined ? undefined : isYes(reply);
  }
  const answers: Record<string, string | number | boolean | readonly string[]> = {};
  for (const [name, field] of fields) {
    if (!isObject(field)) continue;
    const isOptional = !required.includes(name);
    const title = `${textAt(field, "title") ?? name}${isOptional ? " (optional)" : ""}`;
    const description = textAt(field, "description");
    const reply = await put(
      `${intro}\n${title}${description === undefined ? "" : `: ${description}`}`,
      choicesOf(field),
    );
    if (reply === undefined) return undefined;
    if (reply.trim() === "" && isOptional) continue;
    answers[name] = valueOf(reply, field);
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

function valueOf(reply: string, { type }: JsonObject): string | number | boolean | readonly string[] {
  if (type === "boolean") return isYes(reply);
  if (type === "array") return reply.split(",").map((one) => one.trim());
  const number = Number(reply);
  return (type === "number" || type === "integer") && reply.trim() !== "" && !Number.isNaN(number) ? number : reply;
}

function isYes(reply: string): boolean {
  return /^(?:y|yes|true)$/i.test(reply.trim());
}
