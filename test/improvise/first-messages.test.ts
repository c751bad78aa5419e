import type { Content } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { outputOf, READY_MADE } from "./everyday-tools.ts";
import { type Face, talk } from "./talk.ts";

const FACES: readonly Face[] = ["generateContent", "streamGenerateContent?alt=sse"];
const REMARK = " (This is the local emulator; no model wrote this.)";
const SAMPLES = " The sources are samples: the emulator does not search.";
const OFFER = "What I can do is call list_files, read_file, search_files and file_stats.";

const FILES = READY_MADE.filter(({ name }) => ["list_files", "read_file", "search_files", "file_stats"].includes(name));

/** A typical conversation with a chat that has tools for files and web search. */
const MESSAGES: readonly (readonly [string, readonly unknown[], string])[] = [
  ["hi", [], `Hello! What can I do for you?${REMARK}`],
  [
    "what can you do?",
    [],
    `example.com has an answer. example.org goes into the details. example.net lists the latest changes.${SAMPLES}`,
  ],
  [
    "weather in Oslo and Rome?",
    [],
    "example.com has an overview of weather in Oslo and Rome. example.org goes into the details. example.net lists the latest changes.",
  ],
  [
    "Who won the last Tour de France?",
    [],
    "example.com has an overview of Tour de France. example.org goes into the details. example.net lists the latest changes.",
  ],
  ["What is in docs?", [["list_files", { path: "docs" }]], "I found 3 entries in docs: README.md, notes.txt and src."],
  [
    "show me docs/guides",
    [["list_files", { path: "docs/guides" }]],
    "I found 3 entries in docs/guides: README.md, notes.txt and src.",
  ],
  ["asdf qwer", [], `Without a model, I have no answer to “asdf qwer”. ${OFFER}`],
  ["test", [], `Without a model, I have no answer to “test”. ${OFFER}`],
];

describe.each(FACES)("%s", (face) => {
  test("a first conversation is answered as a person expects; general remarks come once", async () => {
    const emulator = createEmulator({ brain: improvise() });
    let before: readonly Content[] = [];
    const answers: unknown[] = [];
    for (const [message] of MESSAGES) {
      const { calls, text, contents } = await talk(emulator, face, message, FILES, outputOf, before, true);
      answers.push([message, calls, text]);
      before = contents;
    }
    expect(answers).toEqual(MESSAGES);
  });
});
