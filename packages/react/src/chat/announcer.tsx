import { type ReactElement, useEffect, useRef, useState } from "react";
import { type AnyChatMessage, textOf } from "../chat-message.ts";
import { describeWait } from "../words.ts";
import type { ServiceWait } from "./use-conversation.ts";

export interface AnnouncerProps {
  readonly messages: readonly AnyChatMessage[];
  readonly isAnswering: boolean;
  readonly wait: ServiceWait | undefined;
}

/** Tells screen readers when an answer begins and what it says in the end: not every word, as it comes. */
export function Announcer({ messages, isAnswering, wait }: AnnouncerProps): ReactElement {
  const [said, setSaid] = useState("");
  const wasAnswering = useRef(false);
  const last = messages.at(-1);
  useEffect(() => {
    if (isAnswering === wasAnswering.current) return;
    wasAnswering.current = isAnswering;
    setSaid(isAnswering ? "Answering" : endOf(last));
  }, [isAnswering, last]);
  return (
    <div className="unseen" role="status">
      {wait === undefined ? said : describeWait(wait.delayMs)}
    </div>
  );
}

function endOf(message: AnyChatMessage | undefined): string {
  if (message?.role !== "assistant") return "";
  const waiting = message.parts.filter((part) => "state" in part && part.state === "approval-requested").length;
  if (waiting > 0) return `${waiting === 1 ? "A tool call needs" : `${waiting} tool calls need`} your approval`;
  if (message.metadata?.state === "failed") return "The answer failed";
  return `${message.metadata?.state === "stopped" ? "Stopped" : "Answer"}: ${textOf(message)}`;
}
