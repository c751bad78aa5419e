import type { Usage } from "@pollux/core";
import { explainUntrusted, type Message, type ToolCallPart } from "@pollux/core/conversation";
import { isLeftToUser } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import { defined } from "../json.ts";
import type { AgUiOptions } from "./encode-message.ts";
import type { AgUiInterrupt, AgUiOutcome, AgUiRunEnd, AgUiTokenUsage } from "./events.ts";
import { type InterruptKind, interruptIdOf } from "./ids.ts";

/** Tools without `run` that ask a person, by name, and the JSON Schema of each answer. */
export interface QuestionTools {
  readonly [toolName: string]: { readonly [name: string]: unknown };
}

/** `askUser()` of `@pollux/tools`. */
const QUESTION_TOOLS: QuestionTools = {
  ask_user: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
};

/** How to report the end of a run. */
export interface RunEndOptions extends Pick<AgUiOptions, "questions" | "isAnswerable"> {
  readonly threadId: string;
  readonly runId: string;
  /** The message's usage that earlier runs reported. */
  readonly usageBefore?: Usage | undefined;
}

/** The last event of a run that wrote a message. */
export function runEnd(message: Message, options: RunEndOptions): AgUiRunEnd {
  const { threadId, runId, usageBefore } = options;
  const { state, stopReason = "failed", limit, limitScope, guardrail, cost, pricesAsOf, error } = message;
  const about = defined({ stopReason: message.stopReason, limit, limitScope, guardrail, cost, pricesAsOf });
  const members = {
    ...(message.usage !== undefined && { usage: [tokenUsage(message.usage, usageBefore)] }),
    ...(Object.keys(about).length > 0 && { metadata: { pollux: about } }),
  };
  const finished = (outcome: AgUiOutcome): AgUiRunEnd => ({
    type: "RUN_FINISHED",
    threadId,
    runId,
    outcome,
    ...members,
  });
  switch (state) {
    case "complete":
      return finished({ type: "success" });
    case "waiting":
      return finished(waitingOutcome(message, options));
    case "stopped":
      if (stopReason !== "limit" && stopReason !== "guardrail") return finished({ type: "cancelled" });
      break;
    default:
  }
  const code =
    state === "interrupted" || state === "streaming"
      ? "interrupted"
      : stopReason === "failed"
        ? (error?.code ?? stopReason)
        : stopReason;
  return { type: "RUN_ERROR", message: endingText(message), code, ...members };
}

/** What a message waits for from the client: the person's answers, or else results of calls that the client executes. */
export function waitingOutcome(
  { id, parts }: Message,
  { questions = QUESTION_TOOLS, isAnswerable = isLeftToUser }: Pick<AgUiOptions, "questions" | "isAnswerable">,
): AgUiOutcome {
  const calls = parts.filter((part): part is ToolCallPart => part.type === "tool-call" && isAnswerable(part));
  const interrupts = calls.flatMap((call) => interruptOf(id, call, questions) ?? []);
  if (interrupts.length > 0) return { type: "interrupt", interrupts };
  const pending = calls.filter(({ state }) => state === "pending-output").map((call) => toolCallIdOf(id, call.id));
  return { type: "success", ...(pending.length > 0 && { pendingToolCallIds: pending }) };
}

const APPROVAL_PROPERTIES = {
  approved: { type: "boolean" },
  reason: { type: "string", description: "Why it is denied, for the model." },
};

function approvalSchema(editable: readonly string[] = []): AgUiInterrupt["responseSchema"] {
  const description = `All arguments, to use instead of the model's. May differ: ${editable.join(", ")}.`;
  const editedArgs = { type: "object", description };
  const properties = { ...APPROVAL_PROPERTIES, ...(editable.length > 0 && { editedArgs }) };
  return { type: "object", properties, required: ["approved"] };
}

const EFFECT_SCHEMA = {
  type: "object",
  description: "What the call returned, why it failed, or that it never ran.",
  oneOf: [
    { properties: { output: {} }, required: ["output"] },
    { properties: { error: { type: "string" } }, required: ["error"] },
    { properties: { notExecuted: { const: true } }, required: ["notExecuted"] },
  ],
};

function interruptOf(messageId: string, call: ToolCallPart, questions: QuestionTools): AgUiInterrupt | undefined {
  const { name, args, state, asks: { token = "", editable, because } = {} } = call;
  const toolCallId = toolCallIdOf(messageId, call.id);
  const ask = (kind: InterruptKind, about: Omit<AgUiInterrupt, "id" | "toolCallId">): AgUiInterrupt => ({
    id: interruptIdOf(kind, toolCallId, token),
    toolCallId,
    ...about,
  });
  if (state === "pending-approval")
    return ask("approval", {
      reason: "tool_call",
      message: `May ${name} run?${because === undefined ? "" : ` ${explainUntrusted(because, call)}`}`,
      responseSchema: approvalSchema(editable),
    });
  if (state === "pending-outcome")
    return ask("effect", {
      reason: "pollux:unknown-outcome",
      message: `${name} was interrupted. Did it take effect?`,
      responseSchema: EFFECT_SCHEMA,
    });
  const responseSchema = Object.hasOwn(questions, name) ? questions[name] : undefined;
  if (state !== "pending-output" || responseSchema === undefined) return undefined;
  const question = args["question"];
  const message = typeof question === "string" ? question : `${name} needs an answer.`;
  return ask("question", { reason: "input_required", message, responseSchema });
}

/** Tokens, without the ones reported before. */
function tokenUsage(usage: Usage, before: Usage | undefined): AgUiTokenUsage {
  const of = (name: "inputTokens" | "cachedTokens" | "outputTokens" | "thoughtTokens" | "toolUseTokens"): number =>
    Math.max(0, usage[name] - (before?.[name] ?? 0));
  return {
    provider: "google",
    inputTokens: of("inputTokens") + of("toolUseTokens"),
    outputTokens: of("outputTokens") + of("thoughtTokens"),
    totalTokens: Math.max(0, usage.totalTokens - (before?.totalTokens ?? 0)),
    reasoningTokens: of("thoughtTokens"),
    cachedInputTokens: of("cachedTokens"),
  };
}

const TEXTS: { readonly [StopReason in string]?: string } = {
  aborted: "The run was stopped.",
  truncated: "The answer was cut off because it was too long.",
  blocked: "The answer was blocked.",
  guardrail: "The message or the answer is not allowed here.",
  empty: "The model gave no answer.",
  "bad-call": "The model's call could not be read.",
  "repeated-calls": "The model repeated the same call.",
  "invalid-output": "The answer did not have the expected form.",
  "needs-approval": "The run was left without an answer.",
  "needs-outcome": "The run was left without an answer.",
};

/** Why a message is not complete; safe to show to anyone. */
export function endingText({ state, stopReason, limit, limitScope, guardrail, error }: Message): string {
  if (state === "interrupted" || state === "streaming") return "The answer was interrupted.";
  if (stopReason === "limit") {
    if (limitScope === "owner") return "The spending limit is used up.";
    return `The ${limitScope === undefined ? "run" : "conversation"} reached its limit${limit === undefined ? "" : ` (${limit})`}.`;
  }
  return guardrail?.message ?? error?.message ?? TEXTS[stopReason ?? ""] ?? "Something went wrong.";
}
