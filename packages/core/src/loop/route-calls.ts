import { abortable } from "../internal/abortable.ts";
import { copyJson, isObject } from "../internal/json.ts";
import type { Approval } from "../tool/approval.ts";
import type { Tool } from "../tool/tool.ts";
import type { CallTask } from "./call-step.ts";
import type { LoopInput } from "./loop-input.ts";

/** What is to be done with a call: run it here, ask somebody first, let somebody outside carry it out, or tell the model that it was refused. */
export type CallRoute =
  | { readonly do: "run" }
  | { readonly do: "ask-approval" }
  | { readonly do: "ask-outcome" }
  | { readonly do: "deny"; readonly why: string };

/** True when the routes of these calls depend on their input, so that they have to be found in a step. */
export function needRoutes(input: LoopInput, tasks: readonly CallTask[]): boolean {
  return tasks.some((task) => {
    const tool = toolFor(input, task);
    return tool !== undefined && (tool.outside || tool.needsApproval !== undefined);
  });
}

/** The routes of a turn's calls, in call order. Rejects only when `approve` throws: it is the application's own code. */
export async function routeCalls(
  input: LoopInput,
  tasks: readonly CallTask[],
  signal: AbortSignal,
): Promise<readonly CallRoute[]> {
  return await Promise.all(tasks.map((task) => route(input, task, signal)));
}

async function route(input: LoopInput, task: CallTask, signal: AbortSignal): Promise<CallRoute> {
  const tool = toolFor(input, task);
  if (tool === undefined) return { do: "run" };
  const checked = await check(tool, task);
  // Running it answers with what is wrong; nobody needs to be asked about a call that cannot be carried out.
  if (!checked.ok) return { do: "run" };
  if (checked.needsApproval) {
    if (input.approve === undefined) return { do: "ask-approval" };
    const { turn, callId, call } = task;
    const asked = input.approve({ turn, callId, call: copyJson(call), question: "approval" }, { signal });
    const why = denialOf(await abortable(Promise.resolve(asked), signal));
    if (why !== undefined) return { do: "deny", why };
  }
  return tool.outside ? { do: "ask-outcome" } : { do: "run" };
}

function toolFor(input: LoopInput, task: CallTask): Tool | undefined {
  return task.refused === undefined ? input.toolset.byName.get(task.call.name) : undefined;
}

async function check(
  tool: Tool,
  { call }: CallTask,
): Promise<{ readonly ok: false } | { readonly ok: true; readonly needsApproval: boolean }> {
  let checked: unknown;
  try {
    checked = await tool.parse(copyJson(call.args ?? {}));
  } catch {
    return { ok: false };
  }
  try {
    return { ok: true, needsApproval: (await tool.needsApproval?.(checked, copyJson(call))) ?? false };
  } catch {
    // Better to ask once too often.
    return { ok: true, needsApproval: true };
  }
}

/** What a denied call's model is told; `undefined` when it may run. Anything but a plain yes is a no. */
export function denialOf(answer: Approval | undefined): string | undefined {
  if (answer === true) return undefined;
  // Answers come from outside, and are kept: a run that could not read one could never go on.
  const given: unknown = isObject(answer) ? answer["deny"] : undefined;
  const why = typeof given === "string" ? given.trim() : "";
  return `not run: the user did not agree to this call${why === "" ? "" : `: ${why}`}`;
}
