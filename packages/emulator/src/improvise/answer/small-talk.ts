import type { Part } from "@pollux/core/wire";
import type { BrainTurn } from "../../brain/brain.ts";
import type { UploadedFile } from "../../files/file-options.ts";
import { demandsEffect } from "../choose/choose-functions.ts";
import { evaluate } from "../read/arithmetic.ts";
import type { Clause } from "../read/clauses.ts";
import { isForeign } from "../read/foreign.ts";
import { wasSaid } from "./remark.ts";
import { short } from "./say-values.ts";

/** An answer to a prompt that no function and no search serves. */
export function sayWithoutTools(turn: BrainTurn, clauses: readonly Clause[], missing: readonly string[]): string {
  const text = turn.prompt.trim();
  const [clause] = clauses;
  const talk = smallTalk(turn);
  if (talk !== undefined) return talk;
  const foreign = sayForeign(turn);
  if (missing.length > 0) return `Which ${[...new Set(missing)].slice(0, 2).join(" and ")} do you mean?`;
  const [expression] = clauses.flatMap(({ material }) => material.expressions);
  const result = expression === undefined ? undefined : evaluate(expression);
  if (result !== undefined) return `${expression} is ${Math.round(result * 1e9) / 1e9}.${foreign}`;
  if (clause?.isStatement === true) return "Noted.";
  const offer = offerOf(turn.functions.map(({ name }) => name));
  if (text === "") return `I was given no words to answer. ${offer}`;
  if (foreign !== "") return `${foreign.trimStart()} ${offer}`;
  if (turn.functions.length > 0 && clause !== undefined && demandsEffect(clause))
    return `I have no tool for ${quote(text)}. ${offer}`;
  return `Without a model, I have no answer to ${quote(text)}. ${offer}`;
}

function offerOf(functions: readonly string[]): string {
  const names = [...new Set(functions)];
  if (names.length === 0) return "Give me tools, and I will use them.";
  if (names.length === 1) return `What I can do is call ${names[0]}.`;
  if (names.length <= 4) return `What I can do is call ${names.slice(0, -1).join(", ")} and ${names.at(-1)}.`;
  return `What I can do is call tools such as ${names.slice(0, 3).join(", ")} and ${names[3]}.`;
}

/** What somebody needs to know who writes in another language; said once, with the space before it. */
export function sayForeign({ prompt, request }: BrainTurn): string {
  return isForeign(prompt) && !wasSaid(ENGLISH_ONLY, request.contents) ? ` ${ENGLISH_ONLY}` : "";
}

const ENGLISH_ONLY =
  "The emulator understands only English. Ask in English, or set GEMINI_API_KEY and ask a model in your language.";

/** An answer to a greeting, to thanks, and to questions about the emulator or the conversation; undefined for anything else. */
export function smallTalk(turn: BrainTurn): string | undefined {
  const sentences = [...aboutConversation(turn), ...greeting(turn.prompt.trim()), ...aboutItself(turn)];
  return sentences.length === 0 ? undefined : `${sentences.join(" ")}${sayForeign(turn)}`;
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

/** A prompt on one line, cut if long. */
export function quote(prompt: string): string {
  return `“${short(prompt, 160)}”`;
}

function greeting(text: string): string[] {
  const line = text.slice(0, 300);
  const asked =
    /^(?:please\s+)?(?:just\s+)?(?:say|reply with|answer with|repeat|respond with)(?: only)?:?\s+["“'`]?([^"”'`\n]{1,200}?)["”'`]?[.!]?$/i.exec(
      line,
    )?.[1];
  if (asked !== undefined) return [/^(?:hello|hi|hey)$/i.test(asked) ? "Hello!" : capital(asked)];
  const name = /\b(?:my name is|i am called|call me)\s+(\p{Lu}[\p{L}-]*)/iu.exec(line)?.[1];
  if (name !== undefined) return [`Nice to meet you, ${name}.`];
  if (
    /^(?:hi|hello|hey|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|bonjour|bonsoir|salut|hola|buenos d[ií]as|ciao|buongiorno|ol[aá])(?!\p{L})[^?]{0,40}$/iu.test(
      line,
    )
  )
    return ["Hello! What can I do for you?"];
  if (/^how are you\b/i.test(line)) return ["I am fine, thank you. What can I do for you?"];
  if (/^(?:thanks|thank you|cheers|thx)\b[^?]{0,80}$/i.test(line)) return ["You are welcome."];
  if (
    /^(?:never ?mind|no|nope|yes|yep|sure|okay|ok|great|cool|nice|perfect|got it)(?:[,\s]+(?:thanks|thank you|please|great|good))?[\s.!]*$/i.test(
      line,
    )
  )
    return ["All right. What can I do for you?"];
  if (/^(?:bye|goodbye|good night|see you)\b/i.test(line)) return ["Goodbye!"];
  return [];
}

function aboutItself({ prompt, functions }: BrainTurn): string[] {
  if (
    !/^(?:help|(?:what (?:can|do) you do|who are you|what are you|what(?:['’]s| is) your name|what tools do you have|can you help(?: me)?)\b[^,]{0,20})[\s?!.]*$/i.test(
      prompt.trim(),
    )
  )
    return [];
  const offer = offerOf(functions.map(({ name }) => name));
  return [`I stand in for a Gemini model, so that you can try things without a key. ${offer}`];
}

/** What was said before, for a prompt that asks about the conversation itself. */
function aboutConversation(turn: BrainTurn): string[] {
  const { contents } = turn.request;
  const hasHistory = contents.some((content) => content.role === "model" && !turn.sincePrompt.includes(content));
  if (!hasHistory) return [];
  const prompt = turn.prompt.slice(0, 500);
  const earlier = contents
    .filter(({ role }) => role !== "model")
    .map(({ parts }) =>
      parts
        .map((part) => part.text ?? "")
        .join(" ")
        .trim(),
    );
  if (/\bwhat(?:'s| is) my name\b|\bwho am i\b/i.test(prompt)) {
    const names = earlier.flatMap((text) => /\bmy name is\s+(\p{Lu}[\p{L}-]*)/iu.exec(text.slice(0, 2_000))?.[1] ?? []);
    return names.length === 0 ? [] : [`Your name is ${names.at(-1)}.`];
  }
  const asks =
    /\b(?:first|earlier|before|remember|previous|previously)\b/i.test(prompt) && /\b(?:I|my|me|we)\b/i.test(prompt);
  return asks ? [`You first said ${quote(earlier[0] ?? "")}.`] : [];
}

function capital(text: string): string {
  const line = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
