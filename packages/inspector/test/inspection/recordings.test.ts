import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ExchangeFold } from "../../src/inspection/exchange-fold.ts";
import { readTurn } from "../../src/inspection/read-turn.ts";
import { isRecording, readRecording } from "../../src/inspection/recording.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";

const FOLDER = resolve(import.meta.dirname, "../../../../../shared/recordings");

interface Exchange {
  readonly request: unknown;
  readonly responseBody: string;
  readonly status: number;
}

test("a recording is a session: results of calls continue the run that made them", () => {
  const user = { role: "user", parts: [{ text: "1 + 2?" }] };
  const called = { role: "model", parts: [{ functionCall: { name: "add", args: {} } }] };
  const result = { role: "user", parts: [{ functionResponse: { name: "add", response: { output: 3 } } }] };
  const answer = (content: unknown): string =>
    JSON.stringify({ candidates: [{ content, finishReason: "STOP" }], usageMetadata: { promptTokenCount: 4 } });
  const final = { role: "model", parts: [{ text: "3" }] };
  const base = { method: "POST", path: "/v1beta/models/m:generateContent", model: "m", status: 200 };
  const session = readRecording({
    exchanges: [
      { ...base, request: { contents: [user] }, responseBody: answer(called) },
      { ...base, request: { contents: [user, called, result] }, responseBody: answer(final) },
      { ...base, request: { contents: [user] }, status: 400, responseBody: '{"error":{"message":"No."}}' },
    ],
  });
  const fold = new SessionFold("r");
  for (const entry of session.entries) fold.add(entry);
  expect(fold.overview()).toMatchObject({
    problems: [],
    runs: [
      {
        stopReason: "finished",
        input: "1 + 2?",
        turns: [{ steps: [{ name: "model:1" }, { name: "call:1.0", label: "add" }] }, { text: "3" }],
      },
      { stopReason: "failed", error: { message: "400 No." }, turns: [{ flags: ["error"] }] },
    ],
  });
});

test("only answers of a model need a finish reason", () => {
  const base = { method: "POST", model: "m", status: 200, request: {}, responseBody: '{"totalTokens":4}' };
  const kept = new ExchangeFold();
  const paths = ["/v1beta/models/m:countTokens", "/v1beta/models/m:generateContent"];
  kept.add(readRecording({ exchanges: paths.map((path) => ({ ...base, path })) }).exchanges);
  expect(kept.rows.map(({ error }) => error)).toEqual([undefined, "The answer has no finish reason."]);
});

describe.skipIf(!existsSync(FOLDER))("recordings of other projects (skipped where they are absent)", () => {
  test("each is shown, with its requests and answers verbatim", () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
    let answers = 0;
    for (const name of files) {
      const file = JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as { readonly exchanges: readonly Exchange[] };
      expect(isRecording(file), name).toBe(true);
      const session = readRecording(file);
      const fold = new SessionFold(name);
      for (const entry of session.entries) fold.add(entry);
      const exchanges = new ExchangeFold();
      exchanges.add(session.exchanges);
      const overview = fold.overview();
      expect(overview.problems, name).toEqual([]);
      for (const { runId, turns } of overview.runs)
        for (const { turn } of turns) answers += readTurn(fold, runId, turn)?.answers.length ?? 0;
      const shown = exchanges.rows.map(({ n }) => exchanges.details(n)!);
      expect(
        shown.map(({ request, response }) => [request.body, response?.chunks.map(({ text }) => text).join("") ?? ""]),
        name,
      ).toEqual(file.exchanges.map((one) => [one.request ? JSON.stringify(one.request) : "", one.responseBody]));
    }
    expect(files.length).toBeGreaterThan(800);
    expect(answers).toBeGreaterThan(1300);
  });
});
