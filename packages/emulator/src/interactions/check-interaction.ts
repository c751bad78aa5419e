import { findModel } from "../catalog/models.ts";
import { type Fields, isFields } from "../internal/json.ts";
import { InteractionRefusal, refuseInteraction as refuse } from "./interaction-rules.ts";

/** A valid request. */
export interface InteractionRequest {
  readonly raw: Fields;
  readonly model?: string | undefined;
  readonly agent?: string | undefined;
  /** The input as steps. */
  readonly input: readonly Fields[];
  readonly tools: readonly Fields[];
  readonly store: boolean;
  readonly background: boolean;
  readonly stream: boolean;
  readonly previous?: string | undefined;
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "));
const table = (rows: Readonly<Record<string, string>>): ReadonlyMap<unknown, ReadonlySet<string>> =>
  new Map(Object.entries(rows).map(([type, fields]) => [type, names(`type ${fields}`)]));

const TOP = names(
  "model agent input system_instruction tools generation_config agent_config response_format previous_interaction_id store stream " +
    "background continuation_token environment service_tier webhook_config response_modalities",
);
const ONLY_PLATFORM = names("labels safety_settings");
const GENERATION = names(
  "max_output_tokens seed stop_sequences temperature top_p top_k thinking_level thinking_summaries tool_choice speech_config " +
    "transcription_config video_config image_config",
);
const AGENT_CONFIG = table({
  "deep-research": "thinking_summaries visualization collaborative_planning",
  antigravity: "max_total_tokens model",
});
const TOOLS = table({
  function: "name description parameters",
  code_execution: "",
  mcp_server: "name url headers allowed_tools",
  filesystem: "",
  google_maps: "enable_widget latitude longitude",
  google_search: "search_types",
  bash: "",
  computer_use: "environment excluded_predefined_functions enable_prompt_injection_detection disabled_safety_policies",
  file_search: "file_search_store_names top_k metadata_filter",
  url_context: "",
});
const CONTENTS = table({
  text: "text annotations",
  image: "data uri mime_type resolution",
  audio: "data uri mime_type sample_rate channels",
  document: "data uri mime_type",
  video: "data uri mime_type resolution name processing",
});
const STEPS = table({
  user_input: "content",
  model_output: "content error",
  thought: "summary signature",
  function_call: "id name arguments signature",
  function_result: "call_id name result is_error signature",
});
const BUILT_IN_STEP =
  /^(?:(?:google_search|google_maps|url_context|code_execution|file_search|processing|mcp_server_tool)_(?:call|result)|tool_call)$/;
const WORDS: Readonly<Record<string, readonly string[]>> = {
  thinking_level: ["minimal", "low", "medium", "high"],
  thinking_summaries: ["auto", "none"],
  tool_choice: ["auto", "any", "none", "validated"],
  service_tier: ["flex", "standard", "priority", "deferred"],
};
/** The only model that accepts search together with functions. */
const MIXES = "gemini-3.5-flash";
const IN_BACKGROUND = /^gemini-(?:3\.[1-9]-pro|3\.[6-9]-flash|4)/;
const PLATFORM = "the Gemini Enterprise Agent Platform";

/** Agents that the emulator serves. */
export const AGENTS: readonly string[] = [
  "deep-research-preview-04-2026",
  "deep-research-max-preview-04-2026",
  "antigravity-preview-09-2026",
];

/** Checks a request as the service does. @throws {InteractionRefusal} For the first rule that it violates. */
export function checkInteraction(raw: unknown): InteractionRequest {
  if (!isFields(raw)) return refuse("I-09", "Expected an object");
  if ("response_mime_type" in raw) refuse("I-24", "responseFormat must be set when responseMimeType is set");
  for (const name of Object.keys(raw))
    if (ONLY_PLATFORM.has(name))
      refuse("I-22", `'${name}' is not available on the Gemini API but it is available on ${PLATFORM}`);
  checkNames(raw, TOP);
  for (const name of ["system_instruction", "model", "agent", "previous_interaction_id"])
    if (raw[name] !== undefined && typeof raw[name] !== "string")
      refuse("I-09", `Expected string, unexpected character: '${isFields(raw[name]) ? "{" : "["}'`);
  checkWord(raw, "service_tier");
  const request: InteractionRequest = {
    raw,
    // Texts, as checked above.
    ...(raw as { readonly model?: string; readonly agent?: string }),
    input: readInput(raw["input"]),
    tools: listAt(raw, "tools"),
    store: raw["store"] !== false,
    background: raw["background"] === true,
    stream: raw["stream"] === true,
    previous: raw["previous_interaction_id"] as string | undefined,
  };
  checkTarget(request);
  checkTools(request);
  checkConfig(request);
  return request;
}

function checkNames(fields: Fields, known: ReadonlySet<string>, at?: string): void {
  for (const name of Object.keys(fields))
    if (!known.has(name)) refuse("I-01", `Unknown parameter '${name}'${at === undefined ? "" : ` at '${at}'`}`);
}

function checkWord(fields: Fields, name: string, at = name): void {
  const value = fields[name];
  const words = WORDS[name] ?? [];
  if (value === undefined || isFields(value) || words.some((word) => word === value)) return;
  const supported = words.map((word) => `'${word}'`).join(", ");
  refuse("I-07", `The value ${shown(value)} is not supported for '${at}'. Supported values: ${supported}.`);
}

function shown(value: unknown): string {
  return `'${typeof value === "string" ? value : JSON.stringify(value)}'`;
}

function listAt(fields: Fields, name: string): readonly Fields[] {
  const list: unknown = fields[name] ?? [];
  if (!Array.isArray(list)) return refuse("I-09", `Expected an array, got ${typeof list}`);
  return list.map((item: unknown) => (isFields(item) ? item : refuse("I-09", `Expected an object at '${name}'`)));
}

/** The input as steps. */
function readInput(input: unknown): readonly Fields[] {
  if (input === undefined || input === "" || (Array.isArray(input) && input.length === 0))
    return refuse("I-02", "Missing input.");
  if (typeof input === "string") return [{ type: "user_input", content: [{ type: "text", text: input }] }];
  const isSingle = isFields(input);
  const items = isSingle ? [input] : listAt({ input }, "input");
  const at = (index: number): string => (isSingle ? "input" : `input[${index}]`);
  if (items.every(({ type }) => CONTENTS.has(type))) {
    for (const [index, content] of items.entries()) checkContent(content, at(index), false);
    return [{ type: "user_input", content: items }];
  }
  for (const [index, step] of items.entries()) checkStep(step, at(index));
  return items;
}

function checkStep(step: Fields, at: string): void {
  const { type, content } = step;
  if ("parts" in step) refuse("I-01", "Unknown parameter 'parts'");
  if ("role" in step)
    refuse("I-08", "When using the steps-based API version, use step_list input format instead of turn_list.");
  const known = STEPS.get(type);
  if (known === undefined && BUILT_IN_STEP.test(String(type))) return;
  const named = type === undefined || CONTENTS.has(type) ? "UNKNOWN" : type;
  if (known === undefined) return refuse("I-06", `The value ${shown(named)} is not supported for 'type' at '${at}'`);
  checkNames(step, known, at);
  const isResult = typeof step["name"] === "string" && step["call_id"] !== undefined && step["result"] !== undefined;
  if (type === "function_result" && !isResult) refuse("I-29", "Invalid input received.");
  if (type === "function_call" && !isFields(step["arguments"]))
    refuse("I-09", `Expected an object at '${at}.arguments'`);
  if ((type !== "user_input" && type !== "model_output") || typeof content === "string") return;
  const contents = listAt(step, "content");
  if (contents.length === 0) refuse("I-02", "Request has empty input.");
  for (const [index, one] of contents.entries()) checkContent(one, `${at}.content[${index}]`, type === "user_input");
}

function checkContent(content: Fields, at: string, isInStep: boolean): void {
  const { type, text, uri } = content;
  // Seen among the contents of an input.
  if (isInStep && type === "function_result") return checkStep(content, at);
  const known = CONTENTS.get(type);
  if (known === undefined) return refuse("I-06", `The value ${shown(type)} is not supported for 'type' at '${at}'`);
  checkNames(content, known, at);
  if (type === "text" && (typeof text !== "string" || text === ""))
    refuse("I-04", "Missing text in content of type text.");
  if (!isInStep && "processing" in content) refuse("I-01", `Unknown parameter 'processing' at '${at}'.`);
  const advice = "Register them using FileService.RegisterFile first.";
  if (String(uri).startsWith("gs:"))
    refuse("I-22", `Referencing Google Cloud Storage files directly is not supported. ${advice}`);
}

function checkTarget({ raw, model, agent, background, store, previous }: InteractionRequest): void {
  if ((model === undefined) === (agent === undefined))
    refuse("I-12", "Exactly one of 'model' and 'agent' must be set.");
  if (agent !== undefined && !AGENTS.includes(agent)) refuse("I-15", `Agent '${agent}' is invalid or not found`);
  if (agent !== undefined && !background) refuse("I-14", "background=true is required for agent interactions.");
  if (AGENTS.includes(String(model)))
    refuse("I-12", `'${model}' refers to an agent, but was provided in the 'model' field.`);
  const facts = model === undefined ? undefined : findModel(model);
  if (model !== undefined && facts === undefined)
    throw new InteractionRefusal("I-16", `Model '${model}' not found.`, "not_found", 404);
  if (facts !== undefined && background && !IN_BACKGROUND.test(facts.id))
    refuse("I-13", `Model '${model}' does not support background interactions.`);
  if (!store && previous !== undefined) refuse("I-10", "store must be true when previous_interaction_id is set.");
  if (!store && background) refuse("I-19", "store must be true when background is set.");
  const { webhook_config: webhook } = raw;
  if (webhook !== undefined && !background) refuse("I-20", "webhook_config requires background=true.");
  if (isFields(webhook)) checkNames(webhook, names("uris user_metadata"), "webhook_config");
}

function checkTools({ tools, model }: InteractionRequest): void {
  for (const [index, tool] of tools.entries()) {
    const at = `tools[${index}]`;
    const { type } = tool;
    if (type === "retrieval")
      refuse(
        "I-22",
        `The value 'retrieval' is not supported for '${at}.type' on the Gemini API, it is allowed on ${PLATFORM}.`,
      );
    const known = TOOLS.get(type);
    const supported = [...TOOLS.keys()].map((name) => `'${String(name)}'`).join(", ");
    if (known === undefined)
      return refuse(
        "I-05",
        `The value ${shown(type)} is not supported for 'type' at '${at}'. Supported values: ${supported}.`,
      );
    checkNames(tool, known, at);
    if (type === "function" && typeof tool["name"] !== "string") refuse("I-09", `Expected string at '${at}.name'`);
  }
  const types = new Set(tools.map(({ type }) => type));
  for (const pair of ["google_search file_search", "url_context file_search", "google_maps google_search"]) {
    const [one = "", other = ""] = pair.split(" ");
    if (types.has(one) && types.has(other))
      refuse("I-21", `'${one}' and '${other}' cannot be combined in the same request. Please choose one to continue.`);
  }
  const flag = "tool_config.include_server_side_tool_invocations";
  if (types.has("function") && types.size > 1 && model !== undefined && findModel(model)?.id !== MIXES)
    refuse("I-18", `Please enable ${flag} to use Built-in tools with Function calling.`);
}

function checkConfig({ raw, tools, model, agent }: InteractionRequest): void {
  const { generation_config: generation, agent_config: config } = raw;
  if (agent !== undefined && generation !== undefined) refuse("I-25", "generation_config is not supported for agents.");
  if (model !== undefined && config !== undefined) refuse("I-25", "agent_config is not supported for models.");
  for (const [name, fields] of Object.entries({ generation_config: generation, agent_config: config })) {
    if (fields === undefined) continue;
    if (!isFields(fields)) return refuse("I-09", `Expected an object at '${name}'`);
    const known = name === "agent_config" ? AGENT_CONFIG.get(fields["type"]) : GENERATION;
    if (known !== undefined) checkNames(fields, known, name);
    for (const word of ["thinking_level", "thinking_summaries", "tool_choice"])
      checkWord(fields, word, `${name}.${word}`);
    const speech = fields["speech_config"];
    if (speech !== undefined && !Array.isArray(speech)) refuse("I-09", `Expected an array, got ${typeof speech}`);
    if (fields["tool_choice"] !== undefined && !tools.some(({ type }) => type === "function"))
      refuse("I-17", "Function calling config is set without function_declarations.");
  }
}
