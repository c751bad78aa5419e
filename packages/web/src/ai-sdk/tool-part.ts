import type { CodePart, Message, ServerToolPart, ToolCallPart } from "@pollux/core/conversation";
import type { IsAnswerable } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import { isDataPart } from "../data-part.ts";
import { defined, isSame } from "../json.ts";
import type { AiSdkVersion, UIMessageChunk } from "./chunks.ts";
import type { UIToolPart } from "./ui-message.ts";

/** How tools are shown. */
export interface ToolPartOptions {
  readonly version: AiSdkVersion;
  /** True for tools that the page does not know by name. */
  readonly isDynamic: (toolName: string) => boolean;
  readonly isAnswerable: IsAnswerable;
}

/** A call as a client shows it. */
export function toolPart(
  messageId: string,
  call: ToolCallPart,
  { version, isDynamic, isAnswerable }: ToolPartOptions,
): UIToolPart {
  const { name, args, failure } = call;
  const toolCallId = toolCallIdOf(messageId, call.id);
  // The service also sends calls without a name, which would not make a type.
  const type: UIToolPart["type"] = name === "" || isDynamic(name) ? "dynamic-tool" : `tool-${name}`;
  const base = {
    type,
    ...(type === "dynamic-tool" && { toolName: name }),
    toolCallId,
    ...(call.edited === true && { callProviderMetadata: { pollux: { edited: true } } }),
  };
  const failed = {
    ...base,
    state: "output-error" as const,
    input: args,
    errorText: failure?.message ?? "The call failed.",
    ...(version > 5 && failure !== undefined && { resultProviderMetadata: { pollux: { failure: failure.kind } } }),
  };
  switch (call.state) {
    case "writing": {
      const isWritten = Object.keys(args).length > 0;
      const written = isWritten ? { input: args, rawInput: JSON.stringify(args) } : {};
      return { ...base, state: "input-streaming", ...written };
    }
    case "running":
      if (call.progress === undefined || isDataPart(call.progress)) break;
      return { ...base, state: "output-available", input: args, output: call.progress, preliminary: true };
    case "pending-approval":
      if (version === 5 || !isAnswerable(call)) break;
      return { ...base, state: "approval-requested", input: args, approval: { id: call.asks?.token ?? toolCallId } };
    case "done":
      return { ...base, state: "output-available", input: args, output: call.output ?? null };
    case "denied":
      if (version === 5) return failed;
      return { ...base, state: "output-denied", input: args, approval: { id: toolCallId, approved: false } };
    case "failed":
    case "not-run":
    case "cancelled":
      return failed;
    default:
  }
  return { ...base, state: "input-available", input: args };
}

/** What the service ran by itself, as a client shows it. */
export function serverToolPart(message: Message, part: CodePart | ServerToolPart): UIToolPart {
  const isCode = part.type === "code";
  const base = {
    type: "dynamic-tool" as const,
    toolName: isCode ? "code_execution" : part.name,
    toolCallId: toolCallIdOf(message.id, part.id),
    providerExecuted: true as const,
    input: isCode ? { ...defined({ language: part.language }), code: part.code } : part.args,
  };
  if (isCode ? part.outcome !== undefined : part.state === "done") {
    // What a tool of the service found stays with the service.
    const output = isCode ? { outcome: part.outcome, output: part.output ?? "" } : null;
    return { ...base, state: "output-available", output };
  }
  if (message.state === "streaming") return { ...base, state: "input-available" };
  return { ...base, state: "output-error", errorText: "The tool did not finish." };
}

/**
 * The chunks that turn one state of a call into another.
 *
 * @param shown - Undefined for a call that the client does not have.
 */
export function toolChunks(
  shown: UIToolPart | undefined,
  part: UIToolPart,
  version: AiSdkVersion,
): readonly UIMessageChunk[] {
  const { toolCallId, state, input } = part;
  const dynamic = { ...(part.type === "dynamic-tool" && { dynamic: true as const }) };
  const executed = { ...(part.providerExecuted === true && { providerExecuted: true as const }) };
  const named = { toolCallId, toolName: part.toolName ?? part.type.slice("tool-".length), ...dynamic, ...executed };

  if (state === "input-streaming") {
    const start = { type: "tool-input-start", ...named } as const;
    if (typeof part.rawInput !== "string") return shown === undefined ? [start] : [];
    const delta = { type: "tool-input-delta", toolCallId, inputTextDelta: part.rawInput } as const;
    if (shown === undefined) return [start, delta];
    return shown.rawInput === undefined ? [delta] : [];
  }
  const chunks: UIMessageChunk[] = [];
  const { id: approvalId } = part.approval ?? shown?.approval ?? { id: toolCallId };
  if (version > 6 && state === "input-available" && shown?.state === "approval-requested")
    chunks.push({ type: "tool-approval-response", approvalId, approved: true });
  if (shown === undefined || needsInput(shown, part)) {
    const { callProviderMetadata: providerMetadata } = part;
    chunks.push({ type: "tool-input-available", ...named, input, ...defined({ providerMetadata }) });
  }
  switch (state) {
    case "input-available":
      return chunks;
    case "approval-requested":
      return [...chunks, { type: "tool-approval-request", approvalId, toolCallId }];
    case "output-denied":
      if (shown?.approval?.id !== approvalId) chunks.push({ type: "tool-approval-request", approvalId, toolCallId });
      if (version > 6) chunks.push({ type: "tool-approval-response", approvalId, approved: false });
      return [...chunks, { type: "tool-output-denied", toolCallId }];
    case "output-available": {
      const preliminary = { ...(part.preliminary === true && { preliminary: true as const }) };
      const output = { toolCallId, output: part.output, ...preliminary, ...dynamic, ...executed };
      return [...chunks, { type: "tool-output-available", ...output }];
    }
    default: {
      const { errorText = "", resultProviderMetadata: providerMetadata } = part;
      const metadata = defined({ providerMetadata });
      return [...chunks, { type: "tool-output-error", toolCallId, errorText, ...dynamic, ...executed, ...metadata }];
    }
  }
}

/** True when the arguments of a call are sent, or sent again. A client looks for the call in its last step only. */
export function needsInput(shown: UIToolPart, part: UIToolPart): boolean {
  if (shown.state === "input-streaming") return part.state !== "input-streaming";
  // An output is taken back: the call is repeated. Or a person has changed the arguments.
  const isEdited = part.callProviderMetadata !== undefined && shown.callProviderMetadata === undefined;
  return isEdited || (isOutput(shown) && !isOutput(part)) || !isSame(shown.input, part.input);
}

function isOutput({ state }: UIToolPart): boolean {
  return state.startsWith("output-");
}
