import type { Message, ToolCallPart } from "@pollux/core/conversation";
import { toolCallIdOf } from "../call-ids.ts";
import { type DataPart, isDataPart, splitData } from "../data-part.ts";
import { isRecord } from "../json.ts";
import { type AgUiEvent, dataEvent } from "./events.ts";

/** What a conversation shows of a run inside a call. */
interface AgentReport {
  readonly path: readonly string[];
  readonly event: object;
}

/** What the client has received about one call. */
interface ReportedCall {
  progress: unknown;
  /** Id of the run inside it, while it is going. */
  subagentRunId: string | undefined;
  /** Runs inside it so far. */
  runs: number;
}

/** Passes on the progress of calls, and of the runs of agents inside them. None of it is part of a message. */
export class CallReports {
  readonly #calls: Map<string, ReportedCall> = new Map();
  readonly #data: Map<string, DataPart> = new Map();

  show({ id, parts }: Message): readonly AgUiEvent[] {
    const { data, others } = splitData(parts);
    const news = data.filter((one) => this.#data.get(one.id) !== one.part);
    for (const one of news) this.#data.set(one.id, one.part);
    const events = news.map(({ part }) => dataEvent(part));
    return events.concat(
      others.flatMap((part) => (part.type === "tool-call" ? this.#showCall(toolCallIdOf(id, part.id), part) : [])),
    );
  }

  /** Ends the agents' runs that are still going. */
  close(): readonly AgUiEvent[] {
    return [...this.#calls.values()].flatMap((call) => end(call, "The run ended before the agent did."));
  }

  #showCall(toolCallId: string, { state, progress, failure }: ToolCallPart): readonly AgUiEvent[] {
    let call = this.#calls.get(toolCallId);
    if (call === undefined && (progress === undefined || isDataPart(progress))) return [];
    call ??= { progress: undefined, subagentRunId: undefined, runs: 0 };
    this.#calls.set(toolCallId, call);
    if (state !== "running") return end(call, state === "done" ? undefined : (failure?.message ?? "The call ended."));
    if (progress === call.progress || progress === undefined || isDataPart(progress)) return [];
    call.progress = progress;
    if (!isAgentReport(progress))
      return [{ type: "CUSTOM", name: "pollux.tool-progress", value: { toolCallId, progress } }];
    const events: AgUiEvent[] = [];
    if (call.subagentRunId === undefined) {
      call.subagentRunId = `${toolCallId}/agent:${call.runs++}`;
      const { subagentRunId } = call;
      const name = progress.path[0] ?? "agent";
      events.push({ type: "SUBAGENT_STARTED", subagentRunId, name, parentToolCallId: toolCallId });
    }
    const { path, event } = progress;
    const value = { toolCallId, path, progress: event };
    return [...events, { type: "CUSTOM", name: "pollux.tool-progress", value }];
  }
}

function end(call: ReportedCall, problem: string | undefined): readonly AgUiEvent[] {
  const { subagentRunId } = call;
  if (subagentRunId === undefined) return [];
  call.subagentRunId = undefined;
  if (problem === undefined) return [{ type: "SUBAGENT_FINISHED", subagentRunId, outcome: { type: "success" } }];
  return [{ type: "SUBAGENT_ERROR", subagentRunId, message: problem }];
}

function isAgentReport(progress: unknown): progress is AgentReport {
  const { path, event } = isRecord(progress) ? progress : {};
  return Array.isArray(path) && typeof event === "object" && event !== null;
}
