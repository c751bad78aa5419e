import { isObject } from "../internal/json.ts";
import type { Content, FunctionCall, FunctionResponse, FunctionResponsePart, Part } from "../wire/content.ts";
import type { Label, Page } from "./show-page.ts";
import { inOneLine } from "./terminal-text.ts";

/** Characters of arguments and results that are shown. */
const SHORT = 240;

/** Puts what a content says on the page. @param who - The label of its text. */
export function showContent(page: Page, { parts }: Content, who: Label, thoughts: boolean): void {
  // Neighbouring texts are one text that came in pieces.
  let text = "";
  const flush = (): void => {
    page.say(who, text);
    text = "";
  };
  for (const part of parts) {
    if (part.text !== undefined && part.thought !== true) {
      text += part.text;
      continue;
    }
    flush();
    showPart(page, part, thoughts);
  }
  flush();
}

function showPart(page: Page, part: Part, thoughts: boolean): void {
  if (part.thought === true) {
    if (thoughts) page.say("thought", part.text ?? "");
  } else if (part.functionCall !== undefined) page.say("call", callLine(part.functionCall));
  else if (part.functionResponse !== undefined) showResponse(page, part.functionResponse);
  else showServiceWork(page, part);
}

/** What the service did by itself, and media. */
function showServiceWork(page: Page, part: Part): void {
  const code: unknown = part.executableCode;
  const printed: unknown = part.codeExecutionResult;
  const call: unknown = part.toolCall;
  const response: unknown = part.toolResponse;
  if (isObject(code)) page.say("code", textIn(code, "code"));
  else if (isObject(printed)) page.say("printed", inOneLine(printed["output"] ?? printed["outcome"] ?? "", SHORT));
  else if (isObject(call)) page.say("call", `${textIn(call, "toolType")}(${argsOf(call["args"])}), by the service`);
  else if (isObject(response))
    page.say("result", `${textIn(response, "toolType")}: ${inOneLine(response["response"] ?? {}, SHORT)}`);
  else page.say("media", mediaLine(part) ?? inOneLine(part, SHORT));
}

/** A call in one line, with its arguments shortened. */
export function callLine({ name, args }: FunctionCall): string {
  return `${name}(${argsOf(args)})`;
}

function argsOf(args: unknown): string {
  return !isObject(args) || Object.keys(args).length === 0 ? "" : inOneLine(args, SHORT);
}

function showResponse(page: Page, { name, response, parts }: FunctionResponse): void {
  const isFailure = "error" in response;
  const value = isFailure ? response["error"] : "output" in response ? response["output"] : response;
  page.say(isFailure ? "failed" : "result", `${name}: ${inOneLine(value, SHORT)}`);
  if (!Array.isArray(parts)) return;
  for (const part of parts as readonly unknown[]) if (isObject(part)) page.say("media", mediaLine(part) ?? "");
}

function mediaLine({ inlineData, fileData }: FunctionResponsePart): string | undefined {
  // What a log holds of a part's data may be anything.
  const data: unknown = inlineData;
  const file: unknown = fileData;
  if (isObject(data)) {
    const base64 = typeof data["data"] === "string" ? data["data"].length : 0;
    return `[${textIn(data, "mimeType")}, ${Math.floor((base64 * 3) / 4).toLocaleString("en-US")} bytes]`;
  }
  return isObject(file) ? `[${textIn(file, "mimeType")} at ${textIn(file, "fileUri")}]` : undefined;
}

function textIn(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = fields[key];
  return typeof value === "string" ? value : "unknown";
}
