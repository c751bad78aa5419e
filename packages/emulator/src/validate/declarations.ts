import type { FunctionDeclaration } from "@pollux/core/wire";
import { isExcepted } from "./exceptions.ts";
import { type Problem, problem } from "./problem.ts";
import { schemaProblems } from "./schema.ts";
import type { Subject } from "./subject.ts";

/** Invalid names and schemas of the declared functions (E-21 to E-26, E-31, E-32b, E-32c), all at once. */
export function declarationFieldProblems(subject: Subject): Problem[] {
  const { tools = [] } = subject.request;
  const isAlone = tools.reduce((count, { functionDeclarations = [] }) => count + functionDeclarations.length, 0) === 1;
  const root = !isAlone && isExcepted("E-21", subject) ? "bare" : "empty";
  return tools.flatMap((tool, t) =>
    (tool.functionDeclarations ?? []).flatMap((declaration, d) =>
      oneDeclaration(declaration, `tools[${t}].function_declarations[${d}]`, root, subject),
    ),
  );
}

function oneDeclaration(
  declaration: FunctionDeclaration,
  path: string,
  rootSchema: "empty" | "bare",
  { switches }: Subject,
): Problem[] {
  const problems: Problem[] = [];
  const root = `* GenerateContentRequest.${path}`;
  const maxLength = switches.maxFunctionNameLength;
  if (!isFunctionName(declaration.name, maxLength)) {
    problems.push(
      problem(
        "E-31",
        `${root}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of ${maxLength}.`,
      ),
    );
  }
  const { parameters, parametersJsonSchema } = declaration;
  if (switches.guesses && parameters && parametersJsonSchema !== undefined && parametersJsonSchema !== null) {
    problems.push(problem("E-32b", `${root}: parameters and parameters_json_schema are mutually exclusive.`));
  }
  if (parameters)
    for (const found of schemaProblems(parameters, `${path}.parameters`, rootSchema)) problems.push(found);
  if (switches.guesses && parametersJsonSchema !== undefined && !isObjectSchema(parametersJsonSchema)) {
    problems.push(problem("E-32c", `${root}.parameters_json_schema: the root must be a schema of type object.`));
  }
  return problems;
}

function isFunctionName(name: string | undefined, maxLength: number): boolean {
  return name !== undefined && name.length <= maxLength && /^[A-Za-z_][A-Za-z0-9_.:-]*$/.test(name);
}

/** A root without a type may be an object. */
function isObjectSchema(schema: unknown): boolean {
  if (schema === null) return true;
  if (typeof schema !== "object" || Array.isArray(schema)) return false;
  const type: unknown = "type" in schema ? schema.type : undefined;
  if (Array.isArray(type)) return type.includes("object");
  return type === undefined || (typeof type === "string" && type.toLowerCase() === "object");
}
