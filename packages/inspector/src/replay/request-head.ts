import type { Content, ModelSettings } from "@pollux/core";
import { COPIED_SETTINGS } from "@pollux/core/model";
import type { FunctionDeclaration, JsonSchema, WireTool } from "@pollux/core/wire";
import { type Fields, fieldsOf, listOf, numberOf, textOf } from "../inspection/read-values.ts";

/** The parts of an agent, read from one of its requests. */
export interface RequestHead {
  readonly instructions?: string | undefined;
  readonly functions: readonly FunctionDeclaration[];
  /** Tools that the service runs. */
  readonly builtIns: readonly WireTool[];
  readonly toolChoice?: "required" | "none" | { readonly only: readonly string[] } | undefined;
  readonly settings: ModelSettings;
  /** Schema of typed output. */
  readonly output?: JsonSchema | "json" | undefined;
  readonly contents: readonly Content[];
  /** Fields that no option of an agent sets. */
  readonly unknown: readonly string[];
}

/** Reads the body of a request to `generateContent`. Accepts any JSON. */
export function readHead(body: unknown): RequestHead {
  const request = fieldsOf(body);
  const tools = listOf(request["tools"]).map(fieldsOf);
  // The request matches the types, or the service refused it.
  const functions = tools.flatMap((tool) => listOf(tool["functionDeclarations"])) as readonly FunctionDeclaration[];
  const builtIns = tools.flatMap(({ functionDeclarations: _, ...rest }) =>
    Object.keys(rest).length > 0 ? [rest as WireTool] : [],
  );
  const config = fieldsOf(request["generationConfig"]);
  const instructions = listOf(fieldsOf(request["systemInstruction"])["parts"])
    .map((part) => textOf(fieldsOf(part)["text"]) ?? "")
    .join("\n");
  const output =
    config["responseJsonSchema"] ?? (config["responseMimeType"] === "application/json" ? "json" : undefined);
  const toolChoice = readToolChoice(fieldsOf(fieldsOf(request["toolConfig"])["functionCallingConfig"]));
  return {
    ...(instructions !== "" && { instructions }),
    functions: functions.filter(({ name }) => typeof name === "string"),
    builtIns,
    ...(toolChoice !== undefined && { toolChoice }),
    settings: readSettings(request, config),
    ...(output !== undefined && { output: output as JsonSchema | "json" }),
    contents: listOf(request["contents"]) as readonly Content[],
    unknown: [
      ...Object.keys(request).filter((name) => !KNOWN_FIELDS.has(name)),
      ...Object.keys(config)
        .filter((name) => !COPIED.has(name) && !KNOWN_CONFIG.has(name))
        .map((name) => `generationConfig.${name}`),
    ],
  };
}

function readToolChoice({ mode, allowedFunctionNames }: Fields): RequestHead["toolChoice"] {
  const only = listOf(allowedFunctionNames).filter((name) => typeof name === "string");
  if (mode === "NONE") return "none";
  if (mode !== "ANY") return undefined;
  return only.length > 0 ? { only } : "required";
}

/** Settings outside of `generationConfig`. */
const BESIDE = ["safetySettings", "serviceTier", "labels", "cachedContent", "outputConfig"];

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "systemInstruction",
  "tools",
  "contents",
  "toolConfig",
  "generationConfig",
  ...BESIDE,
]);

/** Members of `generationConfig` with a setting of the same name. */
const COPIED: ReadonlySet<string> = new Set(COPIED_SETTINGS);
const KNOWN_CONFIG: ReadonlySet<string> = new Set(["thinkingConfig", "responseMimeType", "responseJsonSchema"]);

function readSettings(request: Fields, config: Fields): ModelSettings {
  const copied = Object.entries(config).filter(([name]) => COPIED.has(name));
  const thinking = fieldsOf(config["thinkingConfig"]);
  const level = textOf(thinking["thinkingLevel"])?.toLowerCase();
  const budget = numberOf(thinking["thinkingBudget"]);
  const beside = BESIDE.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]]));
  // The service accepted these values, or the agent's own check reports them.
  return {
    ...Object.fromEntries([...copied, ...beside]),
    ...(level !== undefined && { thinking: level }),
    ...(budget !== undefined && { thinking: budget === 0 ? "off" : { budget } }),
    ...(thinking["includeThoughts"] === true && { includeThoughts: true }),
  } as ModelSettings;
}
