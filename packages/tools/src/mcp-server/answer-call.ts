import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server";
import type {
  ApprovalContext,
  Approve,
  FunctionCall,
  Logger,
  PendingCall,
  ReadSource,
  Tool,
  ToolContext,
  ToolOutcome,
} from "@pollux/core";
import { callTool, questionToken } from "@pollux/core/tool";
import { callResult } from "./call-result.ts";

/** Options for answering a call. */
export interface AnswerOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly approve: Approve | undefined;
  /** What the callers' input brings into a history. */
  readonly read: readonly ReadSource[];
  readonly logger: Logger;
}

/** Runs one call for a client: asks for approval, runs the tool with its limits, reports progress. Never rejects. */
export async function answerCall(
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
  client: ServerContext,
  options: AnswerOptions,
): Promise<CallToolResult> {
  const callId = crypto.randomUUID();
  const call: FunctionCall = { name: tool.name, id: callId, args };
  const decided = await decide(tool, call, callId, client, options);
  const outcome =
    "ok" in decided ? decided : await callTool(options.tools, decided, contextOf(decided, callId, client, options));
  const result = callResult(call, tool, outcome, options.logger);
  if ("ok" in decided || decided === call) return result;
  const note = `The arguments were changed before the call ran: ${JSON.stringify(decided.args)}`;
  return { ...result, content: [...result.content, { type: "text", text: note }] };
}

/** The call that may run, perhaps with other arguments, or its denial. */
async function decide(
  tool: Tool,
  call: FunctionCall,
  callId: string,
  client: ServerContext,
  { approve, logger }: AnswerOptions,
): Promise<FunctionCall | ToolOutcome> {
  if (tool.needsApproval === undefined) return call;
  try {
    // No approval is requested for a call with bad arguments: running it reports what is wrong with them.
    const input = await Promise.resolve(tool.parse(structuredClone(call.args))).catch(() => UNFIT);
    const run: ApprovalContext = { signal: client.mcpReq.signal, context: undefined };
    if (input === UNFIT || !(await asks(tool, input, call, run))) return call;
    if (approve === undefined)
      return denied(`${tool.name} needs a person's approval, and this server has no way to ask`);
    const question = { turn: 1, callId, call, question: "approval" } as const;
    const pending: PendingCall = { ...question, token: questionToken(client.sessionId ?? callId, question) };
    const decision = await approve(pending, run);
    if (decision === true) return call;
    if (decision !== false && "args" in decision) return { ...call, args: decision.args };
    return denied(decision !== false && "deny" in decision ? decision.deny : `${tool.name} was not approved`);
  } catch (error) {
    logger.error({ err: error, tool: tool.name }, "approval failed");
    return denied(`${tool.name} was not approved: the request for approval failed`);
  }
}

const UNFIT = Symbol("invalid arguments");

async function asks(tool: Tool, input: unknown, call: FunctionCall, run: ApprovalContext): Promise<boolean> {
  try {
    return (await tool.needsApproval?.(input, call, run)) ?? false;
  } catch {
    return true;
  }
}

function denied(message: string): ToolOutcome {
  return { ok: false, kind: "denied", message };
}

function contextOf(
  call: FunctionCall,
  callId: string,
  { sessionId, mcpReq }: ServerContext,
  { logger, read }: AnswerOptions,
): Omit<ToolContext, "attempt"> {
  const runId = sessionId ?? callId;
  const { progressToken, traceparent } = mcpReq._meta ?? {};
  const trace = typeof traceparent === "string" && TRACEPARENT.test(traceparent) ? { traceparent } : {};
  let reports = 0;
  return {
    context: undefined,
    signal: mcpReq.signal,
    callId,
    call,
    idempotencyKey: callId,
    runId,
    agent: "mcp",
    turn: 1,
    logger,
    ...trace,
    // An agent behind a tool runs in the trace of the caller, and another model wrote its task.
    parent: { step: { runId, step: callId, callId, ...trace }, remaining: {}, read },
    progress: async (value) => {
      if (progressToken === undefined) return;
      reports++;
      const params = { progressToken, ...progressOf(value, reports) };
      await mcpReq.notify({ method: "notifications/progress", params });
    },
    attach: () => {},
  };
}

/** W3C `traceparent` of version 00: a tool may send it on in a header, so nothing else passes. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** MCP's progress is an increasing number; what a tool reports is passed along as the message. */
function progressOf(value: unknown, count: number): { progress: number; total?: number; message?: string } {
  const { progress, total, message } = typeof value === "object" && value !== null ? (value as Progress) : {};
  if (typeof progress === "number")
    return {
      progress,
      ...(typeof total === "number" && { total }),
      ...(typeof message === "string" && { message }),
    };
  return { progress: count, message: (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 1_000) };
}

interface Progress {
  readonly progress?: unknown;
  readonly total?: unknown;
  readonly message?: unknown;
}
