import { type ReactElement, useEffect, useState } from "react";
import type { ChatMessage } from "../../server/agent.ts";
import type { CallAnswer } from "../chat/use-conversation.ts";
import { Icon, type IconName } from "../icon.tsx";
import { ApprovalForm } from "./approval-form.tsx";
import { durationOf } from "./call-times.ts";
import { Picture } from "./picture.tsx";
import { Sound } from "./sound.tsx";
import { ToolFields } from "./tool-fields.tsx";

export type Call = Extract<ChatMessage["parts"][number], { toolCallId: string }>;

export function isCall(part: ChatMessage["parts"][number]): part is Call {
  return "toolCallId" in part;
}

export interface ToolCardProps {
  readonly call: Call;
  /** The answer that it belongs to is being written. */
  readonly isOpen: boolean;
  /** What it waits for, besides an approval. */
  readonly asked: string | undefined;
  readonly onDecide?: ((approvalId: string, approved: boolean) => void) | undefined;
  readonly onAnswer?: ((answer: CallAnswer) => Promise<string | undefined>) | undefined;
}

/** A call of a tool: what it does, how far it is, what went in and came out. */
export function ToolCard({ call, isOpen, asked, onDecide, onAnswer }: ToolCardProps): ReactElement {
  const status = statusOf(call, asked, isOpen);
  const name = nameOf(call);
  const isPreliminary = "preliminary" in call && call.preliminary;
  const isDone = call.state === "output-available" && !isPreliminary;
  // Progress says no more once nothing goes on.
  const progress = isPreliminary && status.isBusy ? readProgress(call.output) : undefined;
  const image = isDone ? madeBy(call.output, "image", "/pictures/") : undefined;
  const sound = isDone ? madeBy(call.output, "sound", "/sounds/") : undefined;
  const isAsked = call.state === "approval-requested";
  const isEdited = call.callProviderMetadata?.pollux.edited === true;
  return (
    <div className={`tool is-${status.kind}`} role="group" aria-label={`${labelOf(name)}: ${status.text}`}>
      <details open={isAsked}>
        <summary>
          <span className="tool-icon">
            <Icon name={status.icon} />
          </span>
          <span className="tool-name">{labelOf(name)}</span>
          <span className="tool-hint">{hintOf(call.input)}</span>
          {isEdited && <span className="tool-edited">Edited</span>}
          <span className="tool-status">
            {status.text}
            <Duration toolCallId={call.toolCallId} isBusy={status.isBusy} />
          </span>
          <Icon name="chevron" />
        </summary>
        <div className="tool-body">
          {!isAsked && <ToolFields title={isEdited ? "Input, edited" : "Input"} value={call.input} />}
          {isDone && <ToolFields title="Result" value={call.output} />}
          {call.state === "output-error" && <p className="tool-error">{call.errorText}</p>}
          {call.state === "approval-requested" && (
            <ApprovalForm
              input={call.input}
              isDisabled={isOpen}
              onDecide={(approved) => onDecide?.(call.approval.id, approved)}
              onEdit={async (args) => await onAnswer?.({ toolCallId: call.toolCallId, args })}
            />
          )}
        </div>
      </details>
      {progress !== undefined && (
        <div className="progress">
          {progress.share !== undefined && (
            <progress aria-label={progress.text === "" ? "Progress" : progress.text} value={progress.share} max={1} />
          )}
          <span>{progress.text}</span>
        </div>
      )}
      {asked === "unknown-outcome" && !isOpen && (
        <div className="tool-question">
          <p>The server stopped while this ran. Did it take effect?</p>
          <button
            type="button"
            className="small"
            onClick={() => void onAnswer?.({ toolCallId: call.toolCallId, output: { state: "done, says the user" } })}
          >
            Yes, it did
          </button>
          <button
            type="button"
            className="small"
            onClick={() => void onAnswer?.({ toolCallId: call.toolCallId, notExecuted: true })}
          >
            No, run it again
          </button>
        </div>
      )}
      {image !== undefined && <Picture {...image} />}
      {sound !== undefined && <Sound {...sound} />}
    </div>
  );
}

interface Status {
  readonly kind: "busy" | "done" | "failed" | "asked" | "quiet";
  readonly text: string;
  readonly icon: IconName;
  readonly isBusy: boolean;
}

function statusOf(call: Call, asked: string | undefined, isOpen: boolean): Status {
  const busy = { kind: "busy", icon: call.providerExecuted === true ? "search" : "tool", isBusy: isOpen } as const;
  const over = { isBusy: false } as const;
  if (asked === "unknown-outcome") return { kind: "asked", text: "Needs you", icon: "hand", ...over };
  switch (call.state) {
    case "input-streaming":
      return { ...busy, text: isOpen ? "Preparing" : "Not run" };
    case "approval-requested":
      return { kind: "asked", text: "Needs your approval", icon: "hand", ...over };
    case "approval-responded":
      return { ...busy, text: call.approval.approved ? "Approved" : "Denied" };
    case "output-available":
      if ("preliminary" in call && call.preliminary) return { ...busy, text: isOpen ? "Running" : "Not finished" };
      return { kind: "done", text: "Done", icon: "check", ...over };
    case "output-error": {
      const failure = call.resultProviderMetadata?.pollux.failure ?? "";
      const isFailed = !["cancelled", "not-run"].includes(failure);
      return { kind: isFailed ? "failed" : "quiet", text: isFailed ? "Failed" : "Not run", icon: "cross", ...over };
    }
    case "output-denied":
      return { kind: "quiet", text: "Denied", icon: "cross", ...over };
    default:
      return { ...busy, text: isOpen ? "Running" : "Not run" };
  }
}

function Duration({
  toolCallId,
  isBusy,
}: {
  readonly toolCallId: string;
  readonly isBusy: boolean;
}): ReactElement | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isBusy) return;
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [isBusy]);
  const ms = durationOf(toolCallId, now);
  // Of what was over at once, there is nothing to say.
  if (ms === undefined || ms < 100) return null;
  return <span className="duration">{`${(ms / 1000).toFixed(1)} s`}</span>;
}

function nameOf(call: Call): string {
  return call.type === "dynamic-tool" ? call.toolName : call.type.slice("tool-".length);
}

/** `get_weather` as "Get weather". */
function labelOf(name: string): string {
  if (/^google_search/i.test(name)) return "Google Search";
  const words = name.replaceAll("_", " ").toLowerCase();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** The first text of an input: mostly what it is about. */
function hintOf(input: unknown): string {
  const values: unknown[] = typeof input === "object" && input !== null ? Object.values(input).flat() : [];
  return values.find((value) => typeof value === "string") ?? "";
}

/** Progress as the tools of this example report it. */
function readProgress(value: unknown): { readonly text: string; readonly share?: number } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text = "text" in value && typeof value.text === "string" ? value.text : "";
  if (!("done" in value && "total" in value)) return { text };
  return { text, share: Number(value.done) / Number(value.total) };
}

/** A file that a tool made, if it is one of this server. */
function madeBy(
  output: unknown,
  name: "image" | "sound",
  folder: string,
): { readonly url: string; readonly title: string } | undefined {
  if (typeof output !== "object" || output === null) return undefined;
  const { [name]: url, title = "From the model" } = output as Record<string, unknown>;
  return typeof url === "string" && url.startsWith(folder) ? { url, title: String(title) } : undefined;
}
