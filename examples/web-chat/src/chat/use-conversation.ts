import { Chat, useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import { useCallback, useEffect, useMemo, useState } from "react";
import { stopChat } from "@pollux/web";
import { withoutDiscards } from "@pollux/web/ai-sdk";
import type { ChatMessage } from "../../server/agent.ts";
import { API, type ChatSummary, continueChat, isGoing, readProblem, steerChat, type StoredChat } from "../server.ts";
import { noteTimes } from "../message/call-times.ts";
import { useFollowing } from "./use-following.ts";

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
  | { readonly toolCallId: string; readonly output: unknown }
  /** Approves the call with other arguments. */
  | { readonly toolCallId: string; readonly args: Readonly<Record<string, unknown>> };

export interface LiveConversation {
  readonly messages: readonly ChatMessage[];
  /** Said to the run that is going, and not heard by it yet. */
  readonly queued: readonly ChatMessage[];
  readonly isAnswering: boolean;
  readonly problem: string | undefined;
  /** Asks; or steers, while an answer is being written. */
  readonly say: (said: Said) => void;
  /** Makes the last answer anew. */
  readonly regenerate: () => void;
  /** Says something else instead of a message; what followed it goes. */
  readonly edit: (message: ChatMessage, text: string) => void;
  readonly stop: () => void;
  /** Resumes a run that ended before all was said. */
  readonly goOn: () => void;
  readonly decide: (approvalId: string, approved: boolean) => void;
  /** @returns Why the tool does not accept the arguments, if it does not. */
  readonly answer: (answer: CallAnswer) => Promise<string | undefined>;
  readonly dismissProblem: () => void;
}

export interface ConversationOptions {
  readonly id: string;
  readonly stored: StoredChat;
  readonly summary: ChatSummary | undefined;
  readonly isOnline: boolean;
  readonly onChange: () => Promise<void>;
}

/** A conversation that is followed wherever it goes on: here, in another tab, or in a process that was started anew. */
export function useConversation({ id, stored, summary, isOnline, onChange }: ConversationOptions): LiveConversation {
  const [queued, setQueued] = useState<readonly ChatMessage[]>(() => stored.messages.filter(isQueued));
  const [problem, setProblem] = useState<string>();
  /** The message whose end was asked for. */
  const [stopping, setStopping] = useState<string>();
  const [isContinuing, setContinuing] = useState(false);
  const changed = useCallback(() => void onChange(), [onChange]);
  const [store] = useState(
    () =>
      new Chat<ChatMessage>({
        id,
        messages: stored.messages.filter((message) => !isQueued(message)),
        transport: createTransport(),
        sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
        onError: (error) => {
          // What is wrong with an edited call is said where it is edited.
          if (refusalIn(error) !== undefined) return;
          if (!isCutOff(error)) return setProblem(readProblem(error.message).message);
          // The list finds out whether the server can be reached at all.
          changed();
        },
        onFinish: changed,
      }),
  );
  const chat = useChat<ChatMessage>({ chat: store, experimental_throttle: 40 });
  const { messages, setMessages, status, resumeStream, sendMessage, regenerate, addToolApprovalResponse, clearError } =
    chat;
  const isBusy = isReading(status);
  const lastMessage = messages.at(-1);
  const last = lastMessage?.id;
  const hasFailed = isCutOff(chat.error);

  useFollowing({
    id,
    isGoing: isGoing(stored.state),
    summary,
    isBusy,
    // What is drawn may be a moment behind.
    isBusyNow: () => isReading(store.status),
    hasFailed,
    isOnline,
    resend:
      hasFailed && lastMessage?.role === "user"
        ? async () => {
            if (!(chat.error instanceof TypeError)) await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
            await sendMessage({ ...lastMessage, messageId: lastMessage.id });
          }
        : undefined,
    show: (loaded) => {
      const said = loaded.messages.filter((message) => !isQueued(message));
      setMessages((known) => keepKnown(known, said));
      setQueued(loaded.messages.filter(isQueued));
    },
    follow: async () => {
      clearError();
      await resumeStream();
    },
  });
  useEffect(() => noteTimes(messages), [messages]);

  const shown = useMemo(() => messages.map((message) => withoutDiscards(message)), [messages]);
  const heard = new Set(
    shown.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "data-steering" ? part.data.parts.map(saidBy) : [])),
    ),
  );
  const report = (error: unknown): void => setProblem(error instanceof Error ? error.message : String(error));

  return {
    messages: shown,
    queued: queued.filter(({ parts }) => !parts.every((part) => heard.has(saidBy(part)))),
    isAnswering: isContinuing || (isBusy && stopping !== last),
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
    regenerate() {
      if (isBusy || last === undefined) return;
      setProblem(undefined);
      void regenerate({ messageId: last });
      changed();
    },
    edit(message, text) {
      if (isBusy) return;
      setProblem(undefined);
      const files = message.parts.filter(({ type }) => type === "file");
      void sendMessage({ role: "user", parts: [...files, { type: "text", text }], messageId: message.id });
      changed();
    },
    stop() {
      setStopping(last);
      stopChat(id).then(changed, (error: unknown) => {
        setStopping(undefined);
        report(error);
      });
    },
    goOn() {
      setProblem(undefined);
      setStopping(undefined);
      setContinuing(true);
      // It may have been continued in another tab: then there is something to follow as well.
      const work = continueChat(id).then(async () => {
        clearError();
        const following = resumeStream();
        setContinuing(false);
        await following;
      });
      work.catch(report).finally(() => setContinuing(false));
    },
    decide(approvalId, approved) {
      void addToolApprovalResponse({ id: approvalId, approved });
    },
    async answer(answer) {
      const asked = messages.flatMap(({ metadata }) => metadata?.pending ?? []);
      const question = asked.findLast(({ toolCallId }) => toolCallId === answer.toolCallId);
      await sendMessage(undefined, { body: { answers: [{ ...answer, token: question?.token }] } });
      const refusal = refusalIn(store.error);
      if (refusal !== undefined) clearError();
      return refusal;
    },
    dismissProblem() {
      setProblem(undefined);
      clearError();
    },
  };
}

type LiveStatus = Chat<ChatMessage>["status"];

/** Only the last message is sent: the server has the others. */
function createTransport(): DefaultChatTransport<ChatMessage> {
  return new DefaultChatTransport<ChatMessage>({
    api: API,
    // Errors come with their codes; otherwise each is a sentence.
    headers: { accept: "application/json" },
    // Also an answer that has ended meanwhile: nothing of it is missing then.
    prepareReconnectToStreamRequest: ({ api, id }) => ({ api: `${api}/${id}/stream?ended` }),
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

function isReading(status: LiveStatus): boolean {
  return status === "submitted" || status === "streaming";
}

function isQueued({ metadata }: ChatMessage): boolean {
  return metadata?.queued === true;
}

/** How long a server that restarts is given, in milliseconds. */
const RESTART_MS = 1000;

/** True when the server was not reached, or restarts: any other refusal has an answer for a person. */
function isCutOff(error: Error | undefined): boolean {
  return error instanceof TypeError || readProblem(error?.message ?? "").code === "draining";
}

/** Why a tool does not accept the arguments that it was approved with, if that is what went wrong. */
function refusalIn(error: Error | undefined): string | undefined {
  const { code, message } = readProblem(error?.message ?? "");
  return code === "invalid_approval" ? message : undefined;
}

/** What a part of a message says: its words, or where its image is. */
function saidBy(part: { readonly type: string } & ({ readonly text?: string } | { readonly url: string })): string {
  return "url" in part ? part.url : "text" in part ? (part.text ?? "") : "";
}
