import type { Agent, AnyTool, Json, Tool } from "@pollux/core";
import type { PlayAgent, PlayTool } from "./play.ts";

/** Describes agents for the page. Calls no code of theirs except the function that lists tools without a run. */
export function describeAgents(agents: Readonly<Record<string, Agent>>): readonly PlayAgent[] {
  return Object.entries(agents).map(([name, agent]) => describeAgent(name, agent));
}

function describeAgent(name: string, agent: Agent): PlayAgent {
  const { instructions, tools, settings = {}, limits = {} } = agent.options;
  return {
    name,
    model: agent.model.id,
    instructions: typeof instructions === "string" ? instructions : undefined,
    made: [
      ...(typeof instructions === "function" ? (["instructions"] as const) : []),
      ...(typeof tools === "function" ? (["tools"] as const) : []),
    ],
    settings: asJson(settings),
    limits: asJson(limits),
    tools: agent.tools.map(describeTool),
  };
}

function describeTool(tool: AnyTool): PlayTool {
  const { name } = tool;
  const notRun = whyNotRun(tool);
  if (tool.kind === "built-in") return { name, description: "", schema: {}, notRun, warnings: [] };
  const { description, declaration } = tool;
  return {
    name,
    description,
    // A schema is JSON: requests send it as it is.
    schema: (declaration.parametersJsonSchema ?? {}) as Json,
    notRun,
    warnings: warningsOf(tool),
  };
}

/** Why a tool can't run outside of a run; undefined if it can. */
export function whyNotRun(tool: AnyTool): string | undefined {
  if (tool.kind === "built-in") return "The service runs it, inside a request.";
  if (tool.handoff !== undefined) return "It hands a conversation to another agent.";
  if (tool.external) return "Its answers come from outside of this process.";
  return undefined;
}

/** Why a call needs a second click; empty for one without effects. */
export function warningsOf(tool: Tool): readonly string[] {
  const { effects, agent, builtIn, job } = tool;
  return [
    ...(tool.needsApproval === undefined ? [] : ["A run may ask for approval before this call."]),
    ...(job === undefined ? [] : ["It starts a job."]),
    ...(agent === undefined ? [] : ["It runs another agent, which uses a model and may call its own tools."]),
    ...(builtIn === undefined ? [] : ["It sends a request to the service."]),
    ...(effects === "none" ? [] : [EFFECTS[effects]]),
  ];
}

const EFFECTS = {
  idempotent: 'It may have effects: its code does not declare effects: "none".',
  once: "It has effects that must not happen twice.",
} as const;

/** The JSON for the page, without functions and other values that JSON doesn't have. */
function asJson(value: object): { readonly [name: string]: Json } {
  // JSON has no Infinity, which is a usual limit.
  const text = JSON.stringify(value, (_, one: unknown) => (one === Infinity ? "Infinity" : one));
  return JSON.parse(text) as { readonly [name: string]: Json };
}
