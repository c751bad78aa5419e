import type { Content } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { outputOf, READY_MADE } from "./everyday-tools.ts";
import { type Face, talk } from "./talk.ts";

const FACES: readonly Face[] = ["generateContent", "streamGenerateContent?alt=sse"];
const REMARK = " (This is the local emulator; no model wrote this.)";
const SAMPLES = " The sources are samples: the emulator does not search.";
const ENGLISH_ONLY =
  "The emulator understands only English. Ask in English, or set GEMINI_API_KEY and ask a model in your language.";
const OFFER = "What I can do is call list_files, read_file, search_files and file_stats.";

const FILES = READY_MADE.filter(({ name }) => ["list_files", "read_file", "search_files", "file_stats"].includes(name));

/** What people type into a chat that has tools for files and can search the web, in one conversation. */
const MESSAGES: readonly (readonly [string, readonly unknown[], string])[] = [
  ["hi", [], `Hello! What can I do for you?${REMARK}`],
  ["what can you do?", [], `I stand in for a Gemini model, so that you can try things without a key. ${OFFER}`],
  [
    "weather in Oslo and Rome?",
    [],
    `example.com has an overview of weather in Oslo and Rome. example.org goes into the details. example.net lists the latest changes.${SAMPLES}`,
  ],
  [
    "and in Rome?",
    [],
    "example.com has an overview of weather in Rome. example.org goes into the details. example.net lists the latest changes.",
  ],
  [
    "Who won the last Tour de France?",
    [],
    "example.com has an overview of Tour de France. example.org goes into the details. example.net lists the latest changes.",
  ],
  [
    "what time is it?",
    [],
    "example.com has an answer. example.org goes into the details. example.net lists the latest changes.",
  ],
  ["What is in docs?", [["list_files", { path: "docs" }]], "I found 3 entries in docs: README.md, notes.txt and src."],
  [
    "show me docs/guides",
    [["list_files", { path: "docs/guides" }]],
    "I found 3 entries in docs/guides: README.md, notes.txt and src.",
  ],
  ["What is 2+2?", [], "2+2 is 4."],
  ["asdf qwer", [], `Without a model, I have no answer to “asdf qwer”. ${OFFER}`],
  ["test", [], `Without a model, I have no answer to “test”. ${OFFER}`],
];

/** First messages in other languages. */
const FOREIGN: readonly (readonly [string, readonly unknown[], string])[] = [
  ["Hallo!", [], `Hello! What can I do for you? ${ENGLISH_ONLY}`],
  ["Was kannst du?", [], `${ENGLISH_ONLY} ${OFFER}`],
  ["Welche Dateien gibt es hier?", [], `${ENGLISH_ONLY} ${OFFER}`],
  ["Bonjour !", [], `Hello! What can I do for you? ${ENGLISH_ONLY}`],
  ["Bonjour, que peux-tu faire ?", [], `${ENGLISH_ONLY} ${OFFER}`],
  ["Combien font 2 plus 3 ?", [], `2 + 3 is 5. ${ENGLISH_ONLY}`],
  ["¿Qué archivos hay en esta carpeta?", [], `${ENGLISH_ONLY} ${OFFER}`],
  ["このフォルダには何がありますか", [], `${ENGLISH_ONLY} ${OFFER}`],
];

describe.each(FACES)("%s", (face) => {
  test("a first conversation is answered as a person expects; what is always true is said once", async () => {
    const emulator = createEmulator();
    let before: readonly Content[] = [];
    const answers: unknown[] = [];
    for (const [message] of MESSAGES) {
      const { calls, text, contents } = await talk(emulator, face, message, FILES, outputOf, before, true);
      answers.push([message, calls, text]);
      before = contents;
    }
    expect(answers).toEqual(MESSAGES);
  });

  test.each(FOREIGN)("%s", async (message, expected, says) => {
    const { calls, text } = await talk(createEmulator(), face, message, FILES, outputOf, [], true);
    expect([calls, text]).toEqual([expected, `${says}${REMARK}`]);
  });

  test("that it understands only English is said once, also after a call", async () => {
    const emulator = createEmulator();
    const first = await talk(emulator, face, "Was steht in notes.txt und wie groß ist es?", FILES, outputOf);
    expect(first.text.split(ENGLISH_ONLY)).toHaveLength(2);
    const { text } = await talk(emulator, face, "Was kannst du noch?", FILES, outputOf, first.contents);
    expect(text).not.toContain(ENGLISH_ONLY);
  });

  test.each([
    "pasta recipes",
    "run du -sh",
    "weather in El Salvador",
    "What is the meaning of naïve?",
    "Who is Antonio Banderas?",
    "Translate “wie geht es dir” to English",
  ])("%s is English", async (message) => {
    const { text } = await talk(createEmulator(), face, message, FILES, outputOf, [], true);
    expect(text).not.toContain(ENGLISH_ONLY);
  });
});
