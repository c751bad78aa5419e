import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";

/** Prompts over the model's window (E-77), at four characters per token; media is not counted. */
export function windowProblem({ request, model }: Subject): Problem | undefined {
  const { contents, systemInstruction, tools } = request;
  const parts = [...contents, ...(systemInstruction ? [systemInstruction] : [])].flatMap(
    (content) => content.parts ?? [],
  );
  let characters = tools ? JSON.stringify(tools).length : 0;
  for (const { text, functionCall, functionResponse } of parts) {
    characters += (text?.length ?? 0) + jsonLength(functionCall?.args) + jsonLength(functionResponse?.response);
  }
  const tokens = Math.ceil(characters / 4);
  if (tokens <= model.inputTokenLimit) return undefined;
  const message = `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${model.inputTokenLimit}).`;
  return problem("E-77", message);
}

function jsonLength(value: unknown): number {
  return value === undefined ? 0 : JSON.stringify(value).length;
}

/** Bodies over the limit on inline data (E-78), whose error depends on where it is detected. */
export function bodySizeProblem(body: string, maxBytes: number, surface: Subject["surface"]): Problem | undefined {
  // A character is at most three bytes of UTF-8 here, so most bodies need not be measured.
  if (body.length * 3 <= maxBytes || new TextEncoder().encode(body).byteLength <= maxBytes) return undefined;
  return oversizeProblem(maxBytes, surface);
}

/** The problem with a body over the limit. */
export function oversizeProblem(maxBytes: number, surface: Subject["surface"]): Problem {
  const message = `Request payload size exceeds the limit: ${maxBytes} bytes. Please reduce the size of the request, or upload large files with the Files API.`;
  return surface === "vertex" ? { rule: "E-78", message, code: 413 } : problem("E-78", message);
}
