import { type Problem, problem } from "./problem.ts";

interface Node {
  readonly type?: string | undefined;
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: Node | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly anyOf?: readonly Node[] | undefined;
}

/**
 * All problems that the service reports in a schema of its own kind (E-21 to E-26), each with its path.
 *
 * @param schema - Normalized: types in upper case, no unknown keys.
 * @param path - Its path, such as `tools[0].function_declarations[0].parameters`.
 * @param root - `"empty"` accepts `properties: {}` at the root, which declares a function without arguments; `"bare"` also
 *   accepts no properties at all.
 */
export function schemaProblems(schema: unknown, path: string, root?: "empty" | "bare"): Problem[] {
  return nodeProblems(asNode(schema), `* GenerateContentRequest.${path}`, root);
}

function nodeProblems(node: Node, path: string, root?: "empty" | "bare"): Problem[] {
  const problems: Problem[] = [];
  const properties = Object.entries(node.properties ?? {});
  if (!node.type && !node.anyOf) problems.push(problem("E-26", `${path}.type: must be specified`));
  if (node.type === "OBJECT" && properties.length === 0 && !(root === "bare" || (root && node.properties))) {
    problems.push(problem("E-21", `${path}.properties: should be non-empty for OBJECT type`));
  }
  if (node.type && node.type !== "OBJECT" && properties.length > 0) {
    problems.push(problem("E-25", `${path}.properties: only allowed for OBJECT type`));
  }
  if (node.type === "ARRAY" && !node.items) problems.push(problem("E-23", `${path}.items: missing field.`));
  for (const [index, member] of (node.enum ?? []).entries()) {
    if (member === "") problems.push(problem("E-24", `${path}.enum[${index}]: cannot be empty`));
  }
  for (const [index, name] of (node.required ?? []).entries()) {
    if (Object.hasOwn(node.properties ?? {}, name)) continue;
    problems.push(problem("E-22", `${path}.required[${index}]: property is not defined`));
  }
  const children: (readonly [Node, string])[] = properties.map(([name, child]) => [child, `properties[${name}]`]);
  if (node.items) children.push([node.items, "items"]);
  for (const [index, child] of (node.anyOf ?? []).entries()) children.push([child, `any_of[${index}]`]);
  for (const [child, name] of children)
    for (const found of nodeProblems(child, `${path}.${name}`)) problems.push(found);
  return problems;
}

/** The fields have already been checked against the descriptor of a schema. */
function asNode(schema: unknown): Node {
  return schema as Node;
}
