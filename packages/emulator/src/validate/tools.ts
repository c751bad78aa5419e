import { isExcepted } from "./exceptions.ts";
import { type Problem, problem } from "./problem.ts";
import { enumMembers, schemaSizeProblem } from "./schema-size.ts";
import { isOlderThan3, type Subject } from "./subject.ts";
import { asksForJson, type ToolFacts, toolFacts } from "./tool-facts.ts";

const INVALID_ARGUMENT = "Request contains an invalid argument.";

/** Tools that can't be combined, or that this model doesn't support (E-28 to E-43): the first violated rule. */
export function toolProblem(subject: Subject): Problem | undefined {
  const tools = toolFacts(subject.request);
  return (
    exclusiveCacheProblem(subject) ??
    (subject.switches.guesses ? duplicateProblem(tools) : undefined) ??
    capabilityProblem(tools, subject) ??
    mixProblem(tools, subject) ??
    callingProblem(tools, subject) ??
    jsonProblem(tools, subject) ??
    sizeProblem(tools, subject)
  );
}

/** A cached content together with fields that belong inside it (E-36). */
export function exclusiveCacheProblem({ request, surface }: Subject): Problem | undefined {
  const { cachedContent, systemInstruction, tools, toolConfig } = request;
  if (!cachedContent || !(systemInstruction ?? tools ?? toolConfig)) return undefined;
  if (surface === "vertex") {
    return problem(
      "E-36",
      "Tool config, tools and system instruction should not be set in the request when using cached content.",
    );
  }
  return problem(
    "E-36",
    "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request.",
  );
}

function duplicateProblem({ declarations }: ToolFacts): Problem | undefined {
  const seen = new Set<string>();
  for (const { name } of declarations) {
    if (seen.has(name)) return problem("E-32", `Duplicate function declaration found: ${name}`);
    seen.add(name);
  }
  return undefined;
}

function capabilityProblem({ declarations, builtIns }: ToolFacts, { model, surface }: Subject): Problem | undefined {
  if (builtIns.includes("googleSearchRetrieval") && model.generation >= 2) {
    const message = "google_search_retrieval is not supported; please use google_search field instead.";
    return problem("E-33", onVertex(message, surface));
  }
  const missing = (capability: string): Problem =>
    problem("E-41", `${capability} is not enabled for models/${model.id}`);
  if (declarations.length > 0 && !model.functions) return missing("Function calling");
  return builtIns.length > 0 && !model.builtIns ? missing("Search as tool") : undefined;
}

function mixProblem(tools: ToolFacts, subject: Subject): Problem | undefined {
  const { request, model, surface } = subject;
  const mixed = tools.declarations.length > 0 && tools.builtIns.length > 0;
  if (surface === "vertex") {
    const many = mixed || (tools.builtIns.length > 1 && !tools.onlySearches);
    const allowed = mixed ? model.builtInsWithFunctions : !isOlderThan3(model);
    return many && !allowed
      ? problem("E-37", "Multiple tools are supported only when they are all search tools.")
      : undefined;
  }
  const flag = request.toolConfig?.includeServerSideToolInvocations === true;
  if (flag && isOlderThan3(model)) {
    return problem("E-38", `Tool call context circulation is not enabled for models/${model.id}`);
  }
  if (!mixed) return undefined;
  if (!model.builtInsWithFunctions) return problem("E-34", "Tool use with function calling is unsupported");
  const fetches = tools.builtIns.every((name) => name === "urlContext");
  if (flag || (fetches && isExcepted("E-35", subject))) return undefined;
  return problem(
    "E-35",
    "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
  );
}

function callingProblem(
  { declarations }: ToolFacts,
  { request, model, surface, switches }: Subject,
): Problem | undefined {
  const config = request.toolConfig?.functionCallingConfig;
  if (!config) return undefined;
  if (declarations.length === 0 && surface === "developer" && isOlderThan3(model)) {
    return problem("E-40", "Function calling config is set without function_declarations.");
  }
  const { mode = "AUTO", allowedFunctionNames = [] } = config;
  const declared = new Set(declarations.map(({ name }) => name));
  const pointless = mode !== "ANY" && mode !== "VALIDATED";
  const bad = allowedFunctionNames.some((name) => pointless || !declared.has(name));
  if (switches.allowedNames && bad) return problem("E-40b", INVALID_ARGUMENT);
  if (mode !== "ANY") return undefined;
  const members = declarations.reduce((sum, { parameters, parametersJsonSchema }) => {
    return sum + enumMembers(parameters) + enumMembers(parametersJsonSchema);
  }, 0);
  const tooMany = members > switches.maxForcedEnumMembers || (model.family === "gemma" && declarations.length > 15);
  return tooMany ? problem("E-30", INVALID_ARGUMENT) : undefined;
}

function jsonProblem({ declarations, builtIns }: ToolFacts, { request, model, surface }: Subject): Problem | undefined {
  if (!asksForJson(request)) return undefined;
  if (!model.jsonOutput) return problem("E-41", `JSON mode is not enabled for models/${model.id}`);
  if (declarations.length > 0 && !model.outputWithFunctions) {
    return problem("E-42", "Function calling with a response mime type: 'application/json' is unsupported");
  }
  if (builtIns.length === 0 || model.outputWithBuiltIns) return undefined;
  const tool = builtIns[0] === "codeExecution" ? "Code Execution tool" : "Search tool";
  return problem("E-43", onVertex(`controlled generation is not supported with ${tool}`, surface));
}

function sizeProblem({ declarations }: ToolFacts, { request, model, switches }: Subject): Problem | undefined {
  const { responseSchema, responseJsonSchema } = request.generationConfig ?? {};
  const schemas = declarations.flatMap(({ parameters, parametersJsonSchema }) => [parameters, parametersJsonSchema]);
  for (const schema of [...schemas, responseSchema, responseJsonSchema]) {
    const found = schemaSizeProblem(schema, switches, model.id === "gemini-3.1-flash-lite");
    if (found) return found;
  }
  return undefined;
}

function onVertex(message: string, surface: Subject["surface"]): string {
  return surface === "vertex" ? `Unable to submit request because ${message}` : message;
}
