import type { Message, ToolCallPart, Usage } from "@pollux/core";
import { toolCallIdOf } from "../call-ids.ts";
import type { AgUiInterrupt, AgUiOutcome, AgUiRunEnd, AgUiTokenUsage } from "./events.ts";
import { interruptIdOf } from "./ids.ts";

/** Tools without `run` that ask a person, by name, and the JSON Schema of each answer. */
export interface QuestionTools {
  readonly [toolName: string]: { readonly [name: string]: unknown };
}

/** `askUser()` of `@pollux/tools`. */
export const QUESTION_TOOLS: QuestionTools = {
  ask_user: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
};

/** How the end of a run is told. */
export interface RunEndOptions {
  readonly threadId: string;
  readonly runId: string;
  readonly questions: QuestionTools;
  /** What was told of the message's usage by an earlier run. */
  readonly usageBefore?: Usage | undefined;
}

/** The last event of a run that wrote a message. */
export function runEnd(message: Message, options: RunEndOptions): AgUiRunEnd {
  const { threadId, runId, questions, usageBefore } = options;
  const { state, stopReason = "failed", limit, cost, error } = message;
  const about = {
    ...(message.stopReason !== undefined && { stopReason }),
    ...(limit !== undefined && { limit }),
    ...(cost !== undefined && { cost }),
  };
  const told = {
    ...(message.usage !== undefined && { usage: [tokenUsage(message.usage, usageBefore)] }),
    ...(Object.keys(about).length > 0 && { metadata: { pollux: about } }),
  };
  const finished = (outcome: AgUiOutcome): AgUiRunEnd => ({
    type: "RUN_FINISHED",
    threadId,
    runId,
    outcome,
    ...told,
  });
  switch (state) {
    case "complete":
      return finished({ type: "success" });
    case "waiting":
      return finished(waitingOutcome(message, questions));
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
  return { type: "RUN_ERROR", message: endingText(message), code, ...told };
}

/** What a message waits for: a person, or else the client, which executes calls. */
export function waitingOutcome({ id, parts }: Message, questions: QuestionTools): AgUiOutcome {
  const calls = parts.filter((part): part is ToolCallPart => part.type === "tool-call");
  const interrupts = calls.flatMap((call) => interruptOf(id, call, questions) ?? []);
  if (interrupts.length > 0) return { type: "interrupt", interrupts };
  const pending = calls.filter(({ state }) => state === "pending-output").map((call) => toolCallIdOf(id, call.id));
  return { type: "success", ...(pending.length > 0 && { pendingToolCallIds: pending }) };
}

const APPROVAL_SCHEMA = {
  type: "object",
  properties: {
    approved: { type: "boolean" },
    editedArgs: { type: "object", description: "Arguments to use instead of the model's." },
    reason: { type: "string", description: "Why it is denied, for the model." },
  },
  required: ["approved"],
};

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
  const { name, args, state } = call;
  const toolCallId = toolCallIdOf(messageId, call.id);
  if (state === "pending-approval") {
    const message = `May ${name} run?`;
    return {
      id: interruptIdOf("approval", toolCallId),
      reason: "tool_call",
      message,
      toolCallId,
      responseSchema: APPROVAL_SCHEMA,
    };
  }
  if (state === "pending-outcome") {
    const message = `${name} was interrupted. Did it take effect?`;
    const reason = "pollux:unknown-outcome";
    return { id: interruptIdOf("effect", toolCallId), reason, message, toolCallId, responseSchema: EFFECT_SCHEMA };
  }
  const responseSchema = Object.hasOwn(questions, name) ? questions[name] : undefined;
  if (state !== "pending-output" || responseSchema === undefined) return undefined;
  const asked = args["question"];
  const message = typeof asked === "string" ? asked : `${name} needs an answer.`;
  return { id: interruptIdOf("question", toolCallId), reason: "input_required", message, toolCallId, responseSchema };
}

/** Tokens, without those that were told before. */
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

/** Why a message is not complete, fit for anybody. */
export function endingText({ state, stopReason, limit, error }: Message): string {
  if (state === "interrupted" || state === "streaming") return "The answer was interrupted.";
  if (stopReason === "limit") return `The run reached its limit${limit === undefined ? "" : ` (${limit})`}.`;
  return error?.message ?? TEXTS[stopReason ?? ""] ?? "Something went wrong.";
}
