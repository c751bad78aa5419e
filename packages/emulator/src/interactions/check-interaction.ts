import { findModel } from "../catalog/models.ts";
import { type Fields, isFields } from "../internal/json.ts";
import { InteractionRefusal, refuseInteraction as refuse } from "./interaction-rules.ts";

/** A request that was checked. */
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

const TOP = names(
  "model agent input system_instruction tools generation_config agent_config response_format previous_interaction_id store stream " +
    "background continuation_token environment service_tier webhook_config response_modalities",
);
const ONLY_PLATFORM = names("labels safety_settings");
const GENERATION = names(
  "max_output_tokens seed stop_sequences temperature top_p top_k thinking_level thinking_summaries tool_choice speech_config " +
    "transcription_config video_config image_config",
);
const AGENT_CONFIG: Readonly<Record<string, ReadonlySet<string>>> = {
  "deep-research": names("type thinking_summaries visualization collaborative_planning"),
  antigravity: names("type max_total_tokens model"),
  "code-mender": names("type find_request fix_request session_config session_id model"),
};
const TOOLS: Readonly<Record<string, ReadonlySet<string>>> = {
  function: names("type name description parameters"),
  code_execution: names("type"),
  mcp_server: names("type name url headers allowed_tools"),
  filesystem: names("type"),
  google_maps: names("type enable_widget latitude longitude"),
  google_search: names("type search_types"),
  bash: names("type"),
  computer_use: names(
    "type environment excluded_predefined_functions enable_prompt_injection_detection disabled_safety_policies",
  ),
  file_search: names("type file_search_store_names top_k metadata_filter"),
  url_context: names("type"),
};
const CONTENTS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: names("type text annotations"),
  image: names("type data uri mime_type resolution"),
  audio: names("type data uri mime_type sample_rate channels"),
  document: names("type data uri mime_type"),
  video: names("type data uri mime_type resolution name processing"),
};
const STEPS: Readonly<Record<string, ReadonlySet<string>>> = {
  user_input: names("type content"),
  model_output: names("type content error"),
  thought: names("type summary signature"),
  function_call: names("type id name arguments signature"),
  function_result: names("type call_id name result is_error signature"),
};
const BUILT_IN_STEP =
  /^(?:(?:google_search|google_maps|url_context|code_execution|file_search|processing|mcp_server_tool)_(?:call|result)|tool_call)$/;
const LEVELS = ["minimal", "low", "medium", "high"];
/** No model of these takes search beside functions. */
const MIXES = /^gemini-3\.5-flash$/;
const IN_BACKGROUND = /^gemini-3\.(?:[1-9]-pro|[6-9]-flash|[6-9]-pro)|^gemini-4/;

/** Agents that are served. */
export const AGENTS: readonly string[] = [
  "deep-research-preview-04-2026",
  "deep-research-max-preview-04-2026",
  "antigravity-preview-09-2026",
];

/** Checks a request as the service does. @throws {InteractionRefusal} For the first rule that it violates. */
export function checkInteraction(raw: unknown): InteractionRequest {
  if (!isFields(raw)) return refuse("I-09", "Expected an object");
  for (const name of ["response_mime_type"])
    if (name in raw) refuse("I-24", "responseFormat must be set when responseMimeType is set");
  for (const name of Object.keys(raw))
    if (ONLY_PLATFORM.has(name))
      refuse(
        "I-22",
        `'${name}' is not available on the Gemini API but it is available on the Gemini Enterprise Agent Platform`,
      );
  checkNames(raw, TOP);
  for (const name of ["system_instruction", "model", "agent", "previous_interaction_id", "service_tier"])
    if (raw[name] !== undefined && typeof raw[name] !== "string")
      refuse("I-09", `Expected string, unexpected character: '${isFields(raw[name]) ? "{" : "["}'`);
  for (const name of ["store", "stream", "background"])
    if (raw[name] !== undefined && typeof raw[name] !== "boolean") refuse("I-09", `Expected a boolean at '${name}'`);
  if (raw["service_tier"] !== undefined)
    checkWord(raw["service_tier"], ["flex", "standard", "priority", "deferred"], "service_tier");
  const tools = listAt(raw, "tools");
  const request: InteractionRequest = {
    raw,
    // Texts, as checked above.
    ...(raw as { readonly model?: string; readonly agent?: string }),
    input: readInput(raw["input"]),
    tools,
    store: raw["store"] !== false,
    background: raw["background"] === true,
    stream: raw["stream"] === true,
    previous: raw["previous_interaction_id"] as string | undefined,
  };
  checkTarget(request);
  checkTools(request);
  checkConfig(request);
  checkExclusions(request);
  return request;
}

function checkNames(fields: Fields, known: ReadonlySet<string>, at?: string): void {
  for (const name of Object.keys(fields))
    if (!known.has(name)) refuse("I-01", `Unknown parameter '${name}'${at === undefined ? "" : ` at '${at}'`}`);
}

function checkWord(value: unknown, words: readonly string[], at: string): void {
  if (!words.includes(String(value))) refuse("I-07", `Invalid enum value '${String(value)}' at '${at}'.`);
}

function listAt(fields: Fields, name: string): readonly Fields[] {
  const list = fields[name] ?? [];
  if (!Array.isArray(list)) return refuse("I-09", `Expected an array, got ${typeof list}`);
  const items: readonly unknown[] = list;
  return items.map((item) => (isFields(item) ? item : refuse("I-09", `Expected an object at '${name}'`)));
}

/** The input as steps. */
function readInput(input: unknown): readonly Fields[] {
  const asUser = (content: readonly Fields[]): readonly Fields[] => [{ type: "user_input", content }];
  if (typeof input === "string")
    return input === "" ? refuse("I-02", "Missing input.") : asUser([{ type: "text", text: input }]);
  const isSingle = isFields(input);
  if (input === undefined || (Array.isArray(input) && input.length === 0)) return refuse("I-02", "Missing input.");
  const items = isSingle ? [input] : listAt({ input }, "input");
  const isContents = items.every(({ type }) => typeof type === "string" && type in CONTENTS);
  if (isContents) {
    items.forEach((content, index) => checkContent(content, isSingle ? "input" : `input[${index}]`, false));
    return asUser(items);
  }
  items.forEach((step, index) => checkStep(step, `input[${index}]`));
  return items;
}

function checkStep(step: Fields, at: string): void {
  const { type } = step;
  if ("parts" in step) refuse("I-01", "Unknown parameter 'parts'");
  if ("role" in step)
    refuse("I-08", "When using the steps-based API version, use step_list input format instead of turn_list.");
  const known = typeof type === "string" ? STEPS[type] : undefined;
  if (known === undefined) {
    if (typeof type === "string" && BUILT_IN_STEP.test(type)) return;
    return refuse(
      "I-06",
      `The value '${typeof type === "string" && !(type in CONTENTS) ? type : "UNKNOWN"}' is not supported for 'type' at '${at}'`,
    );
  }
  checkNames(step, known, at);
  if (type === "function_result") {
    if (typeof step["name"] !== "string" || step["call_id"] === undefined || step["result"] === undefined)
      refuse("I-29", "Invalid input received.");
  }
  if (type === "function_call" && !isFields(step["arguments"]))
    refuse("I-09", `Expected an object at '${at}.arguments'`);
  if (type !== "user_input" && type !== "model_output") return;
  if (typeof step["content"] === "string") return;
  const contents = listAt(step, "content");
  if (contents.length === 0) refuse("I-02", "Request has empty input.");
  for (const [index, content] of contents.entries())
    checkContent(content, `${at}.content[${index}]`, type === "user_input");
}

function checkContent(content: Fields, at: string, isInStep: boolean): void {
  const { type, text, data, uri } = content;
  // Seen among the contents of an input.
  if (isInStep && type === "function_result") return checkStep(content, at);
  const known = typeof type === "string" ? CONTENTS[type] : undefined;
  if (known === undefined) return refuse("I-06", `The value '${String(type)}' is not supported for 'type' at '${at}'`);
  checkNames(content, known, at);
  if (type === "text" && (typeof text !== "string" || text === ""))
    refuse("I-04", "Missing text in content of type text.");
  if (!isInStep && "processing" in content) refuse("I-01", `Unknown parameter 'processing' at '${at}'.`);
  if (typeof data === "string" && data.startsWith("data:")) refuse("I-09", `Invalid base64 at '${at}.data'`);
  if (typeof uri === "string" && uri.startsWith("gs:"))
    refuse(
      "I-22",
      "Referencing Google Cloud Storage files directly is not supported. Register them using FileService.RegisterFile first.",
    );
}

function checkTarget({ model, agent, background }: InteractionRequest): void {
  if ((model === undefined) === (agent === undefined))
    refuse("I-12", "Exactly one of 'model' and 'agent' must be set.");
  if (agent !== undefined && !AGENTS.includes(agent)) refuse("I-15", `Agent '${agent}' is invalid or not found`);
  if (agent !== undefined && !background) refuse("I-14", "background=true is required for agent interactions.");
  if (model === undefined) return;
  if (AGENTS.includes(model)) refuse("I-12", `'${model}' refers to an agent, but was provided in the 'model' field.`);
  const facts = findModel(model);
  if (facts === undefined) throw new InteractionRefusal("I-16", `Model '${model}' not found.`, "not_found", 404);
  if (background && !IN_BACKGROUND.test(facts.id))
    refuse("I-13", `Model '${model}' does not support background interactions.`);
}

function checkTools({ tools, model }: InteractionRequest): void {
  for (const [index, tool] of tools.entries()) {
    const at = `tools[${index}]`;
    const { type } = tool;
    if (type === "retrieval")
      refuse(
        "I-22",
        `The value 'retrieval' is not supported for '${at}.type' on the Gemini API, it is allowed on the Gemini Enterprise Agent Platform.`,
      );
    const known = typeof type === "string" ? TOOLS[type] : undefined;
    const supported = Object.keys(TOOLS)
      .map((name) => `'${name}'`)
      .join(", ");
    if (known === undefined)
      return refuse(
        "I-05",
        `The value '${String(type)}' is not supported for 'type' at '${at}'. Supported values: ${supported}.`,
      );
    checkNames(tool, known, at);
    if (type === "function" && typeof tool["name"] !== "string") refuse("I-09", `Expected string at '${at}.name'`);
  }
  const types = new Set(tools.map(({ type }) => type));
  for (const [one, other] of [
    ["google_search", "file_search"],
    ["url_context", "file_search"],
    ["google_maps", "google_search"],
  ] as const)
    if (types.has(one) && types.has(other))
      refuse("I-21", `'${one}' and '${other}' cannot be combined in the same request. Please choose one to continue.`);
  if (types.has("function") && types.size > 1 && model !== undefined && !MIXES.test(findModel(model)?.id ?? ""))
    refuse(
      "I-18",
      "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
    );
}

function checkConfig({ raw, tools, model, agent }: InteractionRequest): void {
  const { generation_config: generation, agent_config: config } = raw;
  if (agent !== undefined && generation !== undefined) refuse("I-25", "generation_config is not supported for agents.");
  if (model !== undefined && config !== undefined) refuse("I-25", "agent_config is not supported for models.");
  if (isFields(generation)) {
    checkNames(generation, GENERATION, "generation_config");
    const {
      tool_choice: choice,
      thinking_level: level,
      thinking_summaries: summaries,
      speech_config: speech,
    } = generation;
    if (speech !== undefined && !Array.isArray(speech)) refuse("I-09", `Expected an array, got ${typeof speech}`);
    if (level !== undefined) checkWord(level, LEVELS, "generation_config.thinking_level");
    if (summaries !== undefined) checkWord(summaries, ["auto", "none"], "generation_config.thinking_summaries");
    if (typeof choice === "string")
      checkWord(choice, ["auto", "any", "none", "validated"], "generation_config.tool_choice");
    if (choice !== undefined && !tools.some(({ type }) => type === "function"))
      refuse("I-17", "Function calling config is set without function_declarations.");
  } else if (generation !== undefined) refuse("I-09", "Expected an object at 'generation_config'");
  if (!isFields(config))
    return config === undefined ? undefined : refuse("I-09", "Expected an object at 'agent_config'");
  const known = AGENT_CONFIG[String(config["type"])];
  if (known !== undefined) checkNames(config, known, "agent_config");
  const { thinking_summaries: summaries } = config;
  if (summaries !== undefined && summaries !== "auto" && summaries !== "none")
    refuse(
      "I-07",
      `The value '${String(summaries)}' is not supported for 'agent_config.thinking_summaries'. Supported values: 'auto', 'none'.`,
    );
}

function checkExclusions({ raw, store, background, previous }: InteractionRequest): void {
  if (!store && previous !== undefined) refuse("I-10", "store must be true when previous_interaction_id is set.");
  if (!store && background) refuse("I-19", "store must be true when background is set.");
  const { webhook_config: webhook } = raw;
  if (webhook === undefined) return;
  if (!background) refuse("I-20", "webhook_config requires background=true.");
  if (!isFields(webhook)) return refuse("I-09", "Expected an object at 'webhook_config'");
  checkNames(webhook, names("uris user_metadata"), "webhook_config");
}
