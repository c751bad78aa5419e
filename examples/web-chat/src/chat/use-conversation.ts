import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { withoutDiscards } from "@pollux/web";
import type { ChatMessage } from "../../server/agent.ts";
import { API, type ChatSummary, loadChat, readProblem, steerChat, stopChat, type StoredChat } from "../server.ts";
import { noteTimes } from "../message/call-times.ts";

/** What a person says. */
export interface Said {
  readonly text: string;
  readonly files: readonly {
    readonly type: "file";
    readonly url: string;
    readonly mediaType: string;
    readonly filename?: string;
  }[];
}

/** An answer to a call for which the AI SDK has no words. */
export type CallAnswer =
  | { readonly toolCallId: string; readonly notExecuted: true }
  | { readonly toolCallId: string; readonly output: unknown };

export interface LiveConversation {
  readonly messages: readonly ChatMessage[];
  /** Said to the run that is going, and not heard by it yet. */
  readonly queued: readonly ChatMessage[];
  readonly isAnswering: boolean;
  readonly problem: string | undefined;
  /** Asks; or steers, while an answer is being written. */
  say(said: Said): void;
  askAgain(): void;
  stop(): void;
  decide(approvalId: string, approved: boolean, reason?: string): void;
  answer(answer: CallAnswer): void;
  dismissProblem(): void;
}

export interface ConversationOptions {
  readonly id: string;
  readonly stored: StoredChat;
  readonly summary: ChatSummary | undefined;
  readonly onChange: () => Promise<void>;
}

/** A conversation that is followed wherever it goes on: here, in another tab, or in a process that was started anew. */
export function useConversation({ id, stored, summary, onChange }: ConversationOptions): LiveConversation {
  const transport = useMemo(() => createTransport(), []);
  const [queued, setQueued] = useState<readonly ChatMessage[]>(() => stored.messages.filter(isQueued));
  const [problem, setProblem] = useState<string>();
  const [isStopping, setStopping] = useState(false);
  const changed = useCallback(() => void onChange(), [onChange]);
  const chat = useChat<ChatMessage>({
    id,
    messages: stored.messages.filter((message) => !isQueued(message)),
    transport,
    experimental_throttle: 40,
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    onError: (error) => setProblem(error instanceof TypeError ? undefined : readProblem(error.message)),
    onFinish: changed,
  });
  const { messages, setMessages, status, resumeStream, sendMessage, addToolApprovalResponse, clearError } = chat;
  const isBusy = status === "submitted" || status === "streaming";
  const isBusyRef = useRef(isBusy);
  isBusyRef.current = isBusy;

  // What is going on elsewhere shows in the list first.
  const [seen, setSeen] = useState(summary?.updatedAt ?? 0);
  const isFirst = useRef(true);
  const goesOn = isFirst.current ? isGoing(stored.state) : isGoing(summary?.state);
  const isStale = summary !== undefined && (summary.updatedAt !== seen || isGoing(summary.state));
  const updatedAt = summary?.updatedAt ?? 0;
  useEffect(() => {
    if (isBusyRef.current) return;
    if (isFirst.current) {
      isFirst.current = false;
      setSeen(updatedAt);
      if (goesOn) void resumeStream();
      return;
    }
    if (!isStale) return;
    setSeen(updatedAt);
    void (async () => {
      const now = await loadChat(id).catch(() => undefined);
      if (now === undefined || isBusyRef.current) return;
      setMessages((known) =>
        keepKnown(
          known,
          now.messages.filter((message) => !isQueued(message)),
        ),
      );
      setQueued(now.messages.filter(isQueued));
      if (!isGoing(now.state)) return;
      clearError();
      await resumeStream();
    })();
  }, [id, goesOn, isStale, updatedAt, isBusy, setMessages, resumeStream, clearError]);

  useEffect(() => {
    if (!isBusy) setStopping(false);
  }, [isBusy]);
  useEffect(() => noteTimes(messages), [messages]);

  const shown = useMemo(() => messages.map((message) => withoutDiscards(message)), [messages]);
  const heard = shown.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "data-steering" ? [part] : [])));
  const report = (error: unknown): void => setProblem(error instanceof Error ? error.message : String(error));

  return {
    messages: shown,
    queued: queued.filter(({ parts }) => !heard.some(({ data }) => textOf(data.parts) === textOf(parts))),
    isAnswering: isBusy && !isStopping,
    problem,
    say({ text, files }) {
      setProblem(undefined);
      const parts: ChatMessage["parts"] = [...files, ...(text === "" ? [] : [{ type: "text" as const, text }])];
      const message: ChatMessage = { id: crypto.randomUUID(), role: "user", parts };
      if (isBusy) {
        setQueued((before) => [...before, message]);
        steerChat(id, message).catch((error: unknown) => {
          setQueued((before) => before.filter((one) => one !== message));
          report(error);
        });
      } else {
        void sendMessage(message);
        changed();
      }
    },
    askAgain() {
      const last = messages.findLast(({ role }) => role === "user");
      if (last === undefined || isBusy) return;
      void sendMessage({ id: crypto.randomUUID(), role: "user", parts: last.parts });
    },
    stop() {
      setStopping(true);
      stopChat(id).then(changed, (error: unknown) => {
        setStopping(false);
        report(error);
      });
    },
    decide(approvalId, approved, reason) {
      void addToolApprovalResponse({ id: approvalId, approved, ...(reason !== undefined && { reason }) });
    },
    answer(answer) {
      void sendMessage(undefined, { body: { answers: [answer] } });
    },
    dismissProblem() {
      setProblem(undefined);
      clearError();
    },
  };
}

/** Only the last message is sent: the server has the others. */
function createTransport(): DefaultChatTransport<ChatMessage> {
  return new DefaultChatTransport<ChatMessage>({
    api: API,
    prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body }) => ({
      body: { ...body, id, message: messages.at(-1), trigger, messageId },
    }),
  });
}

/** Messages that are the same keep their objects, so that they are not drawn anew. */
function keepKnown(known: readonly ChatMessage[], loaded: readonly ChatMessage[]): ChatMessage[] {
  return loaded.map((message) => {
    const before = known.find(({ id }) => id === message.id);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(message) ? before : message;
  });
}

function isGoing(state: ChatSummary["state"] | undefined): boolean {
  return state === "running" || state === "cut-off";
}

function isQueued({ metadata }: ChatMessage): boolean {
  return metadata?.queued === true;
}

function textOf(parts: readonly { readonly type: string; readonly text?: string }[]): string {
  return parts.map(({ text = "" }) => text).join("\n");
}
