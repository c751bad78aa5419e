import type { Content, Part } from "@pollux/core/wire";
import { ONEOFS } from "./descriptors.ts";
import { isExcepted } from "./exceptions.ts";
import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";
import type { Operation } from "./types.ts";

const DATA_KEYS = ONEOFS["Part"] ?? [];

/** Missing fields of contents and parts (E-04, E-05, E-06, E-16, E-18), all of them at once. */
export function contentFieldProblems(subject: Subject): Problem[] {
  const { request, operation } = subject;
  const root = messageOf(operation);
  const contents = request.contents ?? [];
  if (contents.length === 0) return [problem("E-04", `* ${root}.contents: contents is not specified`)];
  return contents.flatMap((content, index) => {
    const path = `contents[${index}].parts`;
    const isModel = content.role === "model";
    if (content.parts.length === 0) {
      if (isModel && isExcepted("E-05", subject)) return [];
      return [problem("E-05", `* ${root}.${path}: contents.parts must not be empty.`)];
    }
    return content.parts.flatMap((part, position) => {
      const signs = isModel && part.thoughtSignature !== undefined && isExcepted("E-06", subject);
      return partProblems(part, signs, root, `${path}[${position}]`, subject);
    });
  });
}

/** The request message of an operation. */
export function messageOf(operation: Operation): string {
  if (operation === "countTokens") return "CountTokensRequest";
  return operation === "computeTokens" ? "ComputeTokensRequest" : "GenerateContentRequest";
}

/** The contents, each with a list of parts: in recordings, the service accepts a content without one. */
export function withParts(contents: readonly Content[]): readonly Content[] {
  return contents.map((content: Content | Omit<Content, "parts">) => ({ parts: [], ...content }));
}

function partProblems(part: Part, signs: boolean, root: string, path: string, subject: Subject): Problem[] {
  if (!DATA_KEYS.some((key) => key in part) && !signs && !standsAlone(part)) {
    return [problem("E-06", `* ${root}.${path}.data: required oneof field 'data' must have one initialized field`)];
  }
  const response: { readonly name?: string; readonly response?: unknown } | undefined = part.functionResponse;
  if (!response) return [];
  const problems: Problem[] = [];
  if (!response.name) {
    problems.push(problem("E-16", `* ${root}.${path}.function_response.name: Name cannot be empty.`));
  }
  if (response.response === undefined && !isExcepted("E-18", subject)) {
    const type = "type.googleapis.com/google.protobuf.Struct";
    const message = `Invalid value at '${path}.function_response.response' (${type}), null`;
    problems.push({ rule: "E-18", message, field: `${path}.function_response.response` });
  }
  return problems;
}

/** Two kinds of parts without data that the service accepts: a signed thought, and separate video metadata. */
function standsAlone(part: Part): boolean {
  return part.videoMetadata !== undefined || (part.thought === true && part.thoughtSignature !== undefined);
}
