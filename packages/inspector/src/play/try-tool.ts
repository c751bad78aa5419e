import { HttpError } from "@pollux/core/serving";
import type { Agent, Json } from "@pollux/core";
import type { Rehearsal } from "@pollux/core/rehearsal";
import { runTool } from "@pollux/core/testing";
import { fieldsOf, isFields, textOf } from "../inspection/read-values.ts";
import { chooseAgent } from "../replay/choose-agent.ts";
import { warningsOf, whyNotRun } from "./describe-agents.ts";
import type { ToolTrial } from "./play.ts";

/** Most progress reports in a result. */
const MAX_PROGRESS = 100;

/**
 * Runs one tool of an agent as a run would, with its checks, limits and hooks. Writes no session.
 *
 * @throws {HttpError} When there is no such tool, and for one with warnings unless `confirmed` is true.
 */
export async function tryTool(
  agents: Readonly<Record<string, Agent>>,
  body: Json,
  { rehearsal, signal }: { readonly rehearsal?: Rehearsal | undefined; readonly signal: AbortSignal },
): Promise<ToolTrial> {
  const { agent: wanted, tool: name, args, context, confirmed } = fieldsOf(body);
  const named = chooseAgent(agents, {}, textOf(wanted) ?? "");
  const tool = named?.agent.tools.find((one) => one.name === name);
  if (named === undefined || tool === undefined)
    throw new HttpError(404, "no_tool", "That agent has no tool of that name.");
  const why = whyNotRun(tool);
  if (why !== undefined || tool.kind !== "function") throw new HttpError(409, "not_run", why ?? "");
  if (!isFields(args)) throw new TypeError("args must be an object.");
  const warnings = warningsOf(tool);
  if (warnings.length > 0 && confirmed !== true)
    throw new HttpError(409, "confirm", `${warnings.join(" ")} Confirm to run it.`);
  const progress: Json[] = [];
  const thrown: unknown[] = [];
  const { prepareTurn: _, ...hooks } = named.agent.options.hooks ?? {};
  const ran = await runTool<unknown, unknown, unknown, string, unknown, boolean>(tool, args, {
    context: context as never,
    hooks,
    observers: [{ threw: ({ error }) => void thrown.push(error) }],
    signal,
    // Only for runs inside the call: the outer run makes no requests.
    rehearsal: { model: (model, at) => (at.parent && rehearsal?.model?.(model, at)) ?? model },
    onProgress: (value) => {
      if (progress.length < MAX_PROGRESS) progress.push(value as Json);
    },
  });
  return {
    status: ran.status,
    durationMs: ran.durationMs,
    ...("error" in ran && { failure: ran.error }),
    answer: ran.answer,
    progress,
    ...(thrown.length > 0 && { thrown: textOfThrown(thrown.at(-1)) }),
  };
}

function textOfThrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stack = String(error), cause } = error;
  return cause === undefined ? stack : `${stack}\nCaused by ${textOfThrown(cause)}`.slice(0, MAX_THROWN);
}

/** Most characters of a thrown error. */
const MAX_THROWN = 20_000;
