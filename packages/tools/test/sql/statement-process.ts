// Answers statements as the tool's process does, one after another: a process for each of ten thousand would take an hour.
import * as sqlite from "node:sqlite";
import { answerRequest } from "../../src/sql/sqlite-answer.ts";
import type { SqliteRequest } from "../../src/sql/sqlite-request.ts";

process.on("message", (request: SqliteRequest) => {
  const { isProblem, text } = answerOf(request);
  process.send?.({ isProblem, text, residentBytes: process.memoryUsage.rss() });
});

function answerOf(request: SqliteRequest): { readonly isProblem: boolean; readonly text: string } {
  try {
    const answer = answerRequest(sqlite, request);
    return { isProblem: "problem" in answer, text: JSON.stringify(answer).slice(0, 2_000) };
  } catch (error) {
    return { isProblem: true, text: `thrown: ${String(error)}` };
  }
}
