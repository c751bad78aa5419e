import { ConfigurationError } from "../errors/agent-error.ts";
import { checkOptions, namesIn, type OptionNames, type Spellings } from "../internal/option-names.ts";
import { type ArgumentsOf, defineTool, type InputOf, type ToolInputSchema } from "../tool/define-tool.ts";
import { handedOver, handoffDescription } from "../tool/model-texts.ts";
import type { AnyTool, CompletedToolCall, Handoff, Tool } from "../tool/tool.ts";
import type { Agent } from "./agent.ts";
import type { AgentRuns } from "./agent-runs.ts";
import type { ContextFor, OutputSchema } from "./options.ts";

/** How an agent is offered as one that can take the conversation over. */
export interface HandoffOptions<
  Schema extends ToolInputSchema | undefined = undefined,
  Name extends string = string,
> extends Pick<Handoff, "filter"> {
  /** Name of the function. @defaultValue `transfer_to_` and the agent's name */
  readonly name?: Name | undefined;
  /** When to hand over: the model decides by this text. @defaultValue says who takes over */
  readonly description?: string | undefined;
  /** What the model has to say when it hands over: an order number, a reason. The agent reads it in the call. @defaultValue nothing */
  readonly input?: Schema | undefined;
  /** Whether handing over requires approval. @defaultValue false */
  readonly needsApproval?: boolean | undefined;
}

/** A tool that hands the conversation over. Results may have the other agent's calls as well. */
export interface HandoffTool<Input, Context, Name extends string, Args, Calls> extends Omit<
  Tool<Input, string, Context, Name, Args, false>,
  "~call"
> {
  readonly handoff: Handoff;
  /** Never set: the type of its completed calls, and of those of the agent that takes over. */
  readonly "~call"?: CompletedToolCall<Name, Args, string, false> | Calls | undefined;
}

type CompletedCallsOf<Tools extends AnyTool<never>> = NonNullable<Tools["~call"]>;

/** It says nothing that others wrote, and its next calls are asked about as any. */
const TRUST = { reads: "trusted", reach: "inside" } as const;

const OPTIONS: OptionNames<HandoffOptions> = namesIn("name description input filter needsApproval");
const SPELLINGS: Spellings = {
  "use name": "toolName toolNameOverride",
  "use description": "toolDescription toolDescriptionOverride",
  "use input": "inputType inputSchema",
  "use filter": "inputFilter",
};

/**
 * A tool with which the model hands the conversation over to another agent: that one answers the person from the next turn on, and in the
 * messages that follow, with its own instructions, tools, model, settings, guardrails and approvals. Nothing is said in the person's name.
 *
 * For agents that hand over to each other, pass one of them as a function, with a `name`.
 *
 * @throws {ConfigurationError} When the agent has no name of its own: a session remembers by name who leads.
 * @throws {ToolDefinitionError} As `defineTool`.
 * @example
 * ```ts
 * const router = new Agent({
 *   name: "router",
 *   model: "gemini-flash-latest",
 *   instructions: "Hand over to whoever can help.",
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
    // Once: agents are told apart by what they are, and a function may make its agent anew.
    const { runs } = (found ??= isLater ? agent() : agent);
    if (runs.options.name !== undefined) return runs;
    throw new ConfigurationError(
      'handoff(): the agent needs a name, by which a session remembers who leads: new Agent({ name: "billing", … })',
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
