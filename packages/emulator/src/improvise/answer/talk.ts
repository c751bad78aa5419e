import type { Content, Part } from "@pollux/core/wire";
import type { BrainTurn } from "../../brain/brain.ts";
import type { UploadedFile } from "../../files/file-options.ts";
import { enumerated, short } from "./say-values.ts";

/** Appears once in a conversation, so that its answers aren't mistaken for a model's. */
export const REMARK = "(This is the local emulator; no model wrote this.)";

const GREETING =
  /^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening))(?!\p{L})[^?:]{0,40}|say (?:hi|hello)[.!]*)$/iu;
const NAME = /\bmy name is\s+(\p{Lu}[\p{L}-]*)/iu;

/** Adds the remark to the first answer of a conversation. */
export function withRemark(text: string, contents: readonly Content[]): string {
  if (wasSaid(REMARK, contents)) return text;
  return `${text}${/\n/.test(text) ? "\n\n" : " "}${REMARK}`;
}

/** Whether an answer in a conversation contains this sentence. */
export function wasSaid(sentence: string, contents: readonly Content[]): boolean {
  // A streamed answer may come back in pieces.
  return contents.some(({ role, parts }) => role === "model" && textOf(parts).includes(sentence));
}

/** An answer to a greeting, and to users who give their name or ask for it; undefined for anything else. */
export function smallTalk({ prompt, request }: BrainTurn): string | undefined {
  if (GREETING.test(prompt)) return "Hello! What can I do for you?";
  const line = prompt.slice(0, 300);
  const given = NAME.exec(line)?.[1];
  if (given !== undefined) return `Nice to meet you, ${given}.`;
  if (!/\bwhat(?:'s| is) my name\b/i.test(line)) return undefined;
  const names = request.contents.flatMap(({ parts }) => NAME.exec(textOf(parts).slice(0, 2_000))?.[1] ?? []);
  return names.length === 0 ? undefined : `Your name is ${names.at(-1)}.`;
}

/** Says that there is no model, and offers to call the tools. */
export function sayWithoutTools(turn: BrainTurn, missing: readonly string[]): string {
  if (missing.length > 0) return `Which ${[...new Set(missing)].slice(0, 2).join(" and ")} do you mean?`;
  const offer = offerOf(turn.functions.map(({ name }) => name));
  if (turn.prompt === "") return `I was given no words to answer. ${offer}`;
  return `Without a model, I have no answer to “${short(turn.prompt, 160)}”. ${offer}`;
}

function offerOf(functions: readonly string[]): string {
  const names = [...new Set(functions)];
  if (names.length === 0) return "Give me tools, and I will use them.";
  return `What I can do is call ${names.length > 4 ? "tools such as " : ""}${enumerated(names.slice(0, 4))}.`;
}

/** Names the images and files in the prompt, with type and size. */
export function sayMedia(parts: readonly Part[], files: readonly UploadedFile[] = []): string {
  return parts
    .map(({ inlineData, fileData }) => {
      if (inlineData !== undefined)
        return ` I was given ${inlineData.mimeType} of ${Buffer.from(inlineData.data, "base64").length} bytes.`;
      if (fileData === undefined) return "";
      const file = files.find(({ uri }) => uri === fileData.fileUri);
      if (file === undefined) return ` I was given the file ${fileData.fileUri}.`;
      return ` I was given the file ${file.displayName || file.name}: ${file.mimeType} of ${file.sizeBytes} bytes.`;
    })
    .join("");
}

function textOf(parts: readonly Part[]): string {
  return parts.map(({ text }) => text ?? "").join("");
}
