import type { Part } from "@pollux/core/wire";
import { ONEOFS } from "./descriptors.ts";
import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";

const DATA_KEYS = ONEOFS["Part"] ?? [];

/** What is missing in contents and parts (E-04, E-05, E-06, E-16, E-18), all of it at once. */
export function contentFieldProblems({ request, operation }: Subject): Problem[] {
  const root = operation === "countTokens" ? "CountTokensRequest" : "GenerateContentRequest";
  const contents = request.contents ?? [];
  if (contents.length === 0) return [problem("E-04", `* ${root}.contents: contents is not specified`)];
  return contents.flatMap((content, index) => {
    const path = `contents[${index}].parts`;
    const parts = content.parts ?? [];
    if (parts.length === 0) return [problem("E-05", `* ${root}.${path}: contents.parts must not be empty.`)];
    return parts.flatMap((part, position) => partProblems(part, root, `${path}[${position}]`));
  });
}

function partProblems(part: Part, root: string, path: string): Problem[] {
  if (!DATA_KEYS.some((key) => key in part) && !standsAlone(part)) {
    return [problem("E-06", `* ${root}.${path}.data: required oneof field 'data' must have one initialized field`)];
  }
  const response: { readonly name?: string; readonly response?: unknown } | undefined = part.functionResponse;
  if (!response) return [];
  const problems: Problem[] = [];
  if (!response.name) {
    problems.push(problem("E-16", `* ${root}.${path}.function_response.name: Name cannot be empty.`));
  }
  if (response.response === undefined) {
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
