import { ConfigurationError } from "../errors/agent-error.ts";
import { checkOptions, namesIn, type OptionNames, type Spellings } from "../internal/option-names.ts";
import { type ArgumentsOf, defineTool, type InputOf, type ToolInputSchema } from "../tool/define-tool.ts";
import { handedOver, handoffDescription } from "../tool/model-texts.ts";
import type { AnyTool, CompletedToolCall, Handoff, Tool } from "../tool/tool.ts";
import type { Agent } from "./agent.ts";
import type { AgentRuns } from "./agent-runs.ts";
import type { ContextFor, OutputSchema } from "./options.ts";

/** Options of `handoff()`. */
export interface HandoffOptions<
  Schema extends ToolInputSchema | undefined = undefined,
  Name extends string = string,
> extends Pick<Handoff, "filter"> {
  /** Name of the function. @defaultValue `transfer_to_` and the agent's name */
  readonly name?: Name | undefined;
  /** When to hand over: the model decides by this text. @defaultValue names the agent that takes over */
  readonly description?: string | undefined;
  /** Schema of what the model passes along, such as an order number or a reason. The agent reads it in the call. @defaultValue nothing */
  readonly input?: Schema | undefined;
  /** Whether handing over requires approval. @defaultValue false */
  readonly needsApproval?: boolean | undefined;
}

/** A tool that hands the conversation over. Results may include the other agent's calls. */
export interface HandoffTool<Input, Context, Name extends string, Args, Calls> extends Omit<
  Tool<Input, string, Context, Name, Args, false>,
  "~call"
> {
  readonly handoff: Handoff;
  /** Never set: the type of its completed calls and of the calls of the agent that takes over. */
  readonly "~call"?: CompletedToolCall<Name, Args, string, false> | Calls | undefined;
}

type CompletedCallsOf<Tools extends AnyTool<never>> = NonNullable<Tools["~call"]>;

/** Its outcome has nobody else's text, and the next agent's calls are checked like any others. */
const TRUST = { reads: "trusted", reach: "inside" } as const;

const OPTIONS: OptionNames<HandoffOptions> = namesIn("name description input filter needsApproval");
const SPELLINGS: Spellings = {
  "use name": "toolName toolNameOverride",
  "use description": "toolDescription toolDescriptionOverride",
  "use input": "inputType inputSchema",
  "use filter": "inputFilter",
};

/**
 * A tool with which the model hands the conversation over to another agent. That agent answers from the next turn on, also later messages,
 * with its own instructions, tools, model, settings, guardrails and approvals. No message is written in the person's name.
 *
 * For agents that hand over to each other, pass one of them as a function, with a `name`.
 *
 * @throws {ConfigurationError} When the agent has no name of its own: sessions store the leading agent by name.
 * @throws {ToolDefinitionError} As `defineTool`.
 * @example
 * ```ts
 * const router = new Agent({
 *   name: "router",
 *   model: "gemini-flash-latest",
 *   instructions: "Hand over to the agent that can help.",
 *   tools: [handoff(billing, { description: "Questions about invoices and refunds." })],
 * });
 * ```
 */
export function handoff<
  Context,
  Tools extends AnyTool<never>,
  Output extends OutputSchema | undefined,
  Schema extends ToolInputSchema | undefined = undefined,
  const Name extends string = string,
>(
  agent: Agent<Context, Tools, Output> | (() => Agent<Context, Tools, Output>),
  options?: HandoffOptions<Schema, Name>,
): HandoffTool<InputOf<Schema>, ContextFor<Context, Tools>, Name, ArgumentsOf<Schema>, CompletedCallsOf<Tools>>;
// The only signature that callers see, so that the types of the two agents and of the schema are inferred.
export function handoff(
  agent: Agent | (() => Agent),
  options: HandoffOptions<ToolInputSchema | undefined> = {},
): Tool & { readonly handoff: Handoff } {
  checkOptions("handoff()", options, OPTIONS, SPELLINGS);
  const isLater = typeof agent === "function";
  let found: Agent | undefined;
  const find = (): AgentRuns => {
    // Once: agents are compared by identity, and a function may create a new one each time.
    const { runs } = (found ??= isLater ? agent() : agent);
    if (runs.options.name !== undefined) return runs;
    throw new ConfigurationError(
      'handoff(): the agent needs a name, because sessions store the leading agent by name: new Agent({ name: "billing", … })',
    );
  };
  const who = isLater ? undefined : find().name;
  if (who === undefined && options.name === undefined)
    throw new ConfigurationError(
      'handoff(): an agent that is passed as a function is not known yet, so its tool needs a name: handoff(() => billing, { name: "transfer_to_billing" })',
    );
  const { name = `transfer_to_${who?.replace(/[^\w.:-]/g, "_")}`, input, filter, needsApproval } = options;
  const { description = handoffDescription(who ?? "another agent") } = options;
  const run = (): string => handedOver(find().name);
  const tool = defineTool({ name, description, input, needsApproval, effects: "none", run, ...TRUST });
  return { ...tool, handoff: { to: find, filter } };
}
