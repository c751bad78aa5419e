import { Chat, useChat } from "@ai-sdk/react";
import { withoutDiscards } from "@pollux/web/ai-sdk";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import type { HttpChatTransportInitOptions, UIMessage } from "ai";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { newId, useNow } from "../browser.ts";
import {
  type AnyChatMessage,
  type CallAnswer,
  type Draft,
  type Metadata,
  type SaidPart,
  steeredBy,
} from "../chat-message.ts";
import { type ChatServer, ChatServerError, errorFrom, isGoing, isUnreached } from "../chat-server.ts";
import type { ChatSummary, StoredChat } from "../chat-server.ts";
import { noteTimes } from "../message/call-times.ts";
import { useSettings } from "../settings.tsx";
import { useFollowing } from "./use-following.ts";

/** A conversation, and what a person can do in it. */
export interface LiveConversation<M = AnyChatMessage> {
  readonly messages: readonly M[];
  /** Sent to the current run, which hasn't read it yet. */
  readonly queued: readonly M[];
  readonly isAnswering: boolean;
  /** The server can't be reached, and an answer or a message is incomplete. */
  readonly isCutOff: boolean;
  /** Id of the last message, if the server does not have it. */
  readonly unsent: string | undefined;
  /** Guardrails hold the model's text until they have checked it. */
  readonly isChecking: boolean;
  /** The model's service is busy, and the request is sent again automatically. */
  readonly wait: ServiceWait | undefined;
  readonly problem: Error | undefined;
  /** Sends a message; steers while an answer is being written. `body` is for `perRun` of the handler, such as the model that was picked. */
  readonly say: (draft: Draft, body?: object) => void;
  /** Sends `unsent`. */
  readonly sendAgain: () => void;
  readonly regenerate: () => void;
  /** Replaces the text of a message; what followed it is removed. */
  readonly edit: (message: M, text: string) => void;
  /** Ends the run, and its costs. */
  readonly stop: () => void;
  /** Resumes a run that ended early. */
  readonly resume: () => void;
  readonly decide: (approvalId: string, approved: boolean, reason?: string) => void;
  /** @returns Why the tool does not accept the arguments, if it does not. */
  readonly answer: (answer: CallAnswer) => Promise<string | undefined>;
  readonly dismissProblem: () => void;
}

/** A wait for the model's service. */
export interface ServiceWait {
  /** How long it was when it began, in milliseconds. */
  readonly delayMs: number;
  /** When it ends on the clock of the page, in milliseconds since the epoch. */
  readonly until: number;
}

/** Which conversation, and what is known of it already. */
export interface ConversationOptions<M = AnyChatMessage> {
  readonly id: string;
  readonly stored: StoredChat<M>;
  /** Its line in the list, where there is a list: what happens elsewhere shows there first. */
  readonly summary?: ChatSummary | undefined;
  /** @defaultValue true */
  readonly isOnline?: boolean | undefined;
  /** Called when it has changed here. */
  readonly onChange?: (() => Promise<void> | void) | undefined;
  /** Called with data parts, like `onData` of `useChat`. */
  readonly onData?: ((part: { readonly type: string; readonly data: unknown }) => void) | undefined;
}

/** Time between two checks of a conversation that waits, in milliseconds. */
const LOOK_MS = 5000;

/** Follows a conversation wherever it continues: here, in another tab, or in a restarted process. */
export function useConversation<M extends UIMessage>(options: ConversationOptions<M>): LiveConversation<M> {
  const { id, stored, summary, isOnline = true, onChange, onData } = options;
  const { server } = useSettings();
  const [queued, setQueued] = useState<readonly M[]>(() => stored.messages.filter(isQueued));
  const [problem, setProblem] = useState<Error>();
  /** The message whose run was asked to stop. */
  const [stopping, setStopping] = useState<string>();
  const [isContinuing, setContinuing] = useState(false);
  const [isChecking, setChecking] = useState(false);
  const [wait, setWait] = useState<ServiceWait>();
  const changed = useCallback(() => void onChange?.(), [onChange]);
  const [store] = useState(
    () =>
      new Chat<M>({
        id,
        messages: stored.messages.filter((message) => !isQueued(message)),
        transport: new DefaultChatTransport<M>(transportOptions(server)),
        sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
        onData(part) {
          if (part.type === "data-checking") setChecking((part.data as { readonly isChecking: boolean }).isChecking);
          if (part.type === "data-retry") {
            const { delayMs } = part.data as Pick<ServiceWait, "delayMs">;
            setWait({ delayMs, until: Date.now() + delayMs });
          }
          onData?.(part);
        },
        onError(error) {
          // The list finds out whether the server can be reached; problems of an edited call appear where it is edited.
          if (isUnreached(error)) changed();
          else if (!isRefusal(error)) setProblem(error);
        },
        onFinish({ message }) {
          // An answer that failed shows it itself.
          if (stateOf(message) === "failed")
            setProblem((known) => (known instanceof ChatServerError ? known : undefined));
          changed();
        },
      }),
  );
  const chat = useChat<M>({ chat: store, experimental_throttle: 40 });
  const { messages, setMessages, status, resumeStream, sendMessage, regenerate, addToolApprovalResponse, clearError } =
    chat;
  const isBusy = isReading(status);
  const lastMessage = messages.at(-1);
  const last = lastMessage?.id;
  const failure = isUnreached(chat.error) ? chat.error : undefined;
  const unsent = status === "error" && lastMessage?.role === "user" ? lastMessage : undefined;
  const send = async (message: M): Promise<void> => await sendMessage({ ...message, messageId: message.id });

  // Without a list, nothing else shows the outcome of a job.
  const waits = summary === undefined && !isBusy && stateOf(lastMessage) === "waiting";
  const looked = useNow(waits ? LOOK_MS : undefined);

  useFollowing({
    id,
    isGoing: isGoing(stored.state),
    version: summary ? `${summary.updatedAt} ${summary.state}` : String(looked),
    isBusy,
    // What was rendered may be a moment behind.
    isBusyNow: () => isReading(store.status),
    failure,
    isOnline,
    resend: failure !== undefined && unsent !== undefined ? async () => await send(unsent) : undefined,
    show: (loaded) => {
      // Of the same agent.
      const all = loaded.messages as unknown as readonly M[];
      const read = all.filter((message) => !isQueued(message));
      const isMissing = unsent !== undefined && !read.some((message) => message.id === unsent.id);
      if (failure !== undefined) clearError();
      setMessages((known) => keepKnown(known, isMissing ? [...read, unsent] : read));
      setQueued(all.filter(isQueued));
    },
    follow: async () => {
      clearError();
      await resumeStream();
    },
  });
  useEffect(() => noteTimes(messages), [messages]);
  useEffect(() => {
    if (wait === undefined) return;
    const timer = setTimeout(() => setWait(undefined), isBusy ? wait.until - Date.now() : 0);
    return () => clearTimeout(timer);
  }, [wait, isBusy]);
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
      // The run continues, and a remounted component follows it. In strict mode that happens at once.
      setTimeout(() => !isShown.current && store.status === "streaming" && void store.stop());
    };
  }, [store]);

  const shown = useMemo(() => messages.map((message) => withoutDiscards(message)), [messages]);
  const readTexts = new Set(shown.flatMap(({ parts }) => parts.flatMap((part) => steeredBy(part).map(contentKey))));
  const report = (error: unknown): void => setProblem(errorFrom(error));
  const begin = (work: Promise<void>): void => {
    setProblem(undefined);
    void work;
    changed();
  };

  return {
    messages: shown,
    queued: queued.filter(({ parts }) => !parts.every((part) => readTexts.has(contentKey(part)))),
    isAnswering: isContinuing || (isBusy && stopping !== last),
    isCutOff: (failure !== undefined || (isBusy && !isOnline)) && !isEnded(lastMessage),
    unsent: unsent?.id,
    isChecking: isChecking && isBusy,
    wait: isBusy ? wait : undefined,
    problem,
    say({ text, files }, body) {
      const message = userMessage([...files, ...(text === "" ? [] : [{ type: "text" as const, text }])]) as M;
      if (!isBusy) return begin(sendMessage(message, body && { body }));
      setProblem(undefined);
      setQueued((before) => [...before, message]);
      server.steer(id, message).catch((error: unknown) => {
        setQueued((before) => before.filter((one) => one !== message));
        report(error);
      });
    },
    sendAgain: () => unsent && begin(send(unsent)),
    regenerate() {
      if (!isBusy && last !== undefined) begin(regenerate({ messageId: last }));
    },
    edit({ id: edited, parts }, text) {
      if (isBusy) return;
      const files = parts.filter(({ type }) => type === "file");
      begin(send({ ...(userMessage([...files, { type: "text", text }]) as M), id: edited }));
    },
    stop() {
      setStopping(last);
      server.stop(id).then(changed, (error: unknown) => {
        setStopping(undefined);
        report(error);
      });
    },
    resume() {
      setProblem(undefined);
      setStopping(undefined);
      setContinuing(true);
      // It may have been continued in another tab: then there is something to follow as well.
      const work = server.continue(id).then(async () => {
        clearError();
        const following = resumeStream();
        setContinuing(false);
        await following;
      });
      work.catch(report).finally(() => setContinuing(false));
    },
    decide(approvalId, approved, reason) {
      void addToolApprovalResponse({ id: approvalId, approved, ...(reason && { reason }) });
    },
    async answer(answer) {
      const pending = messages.flatMap((message) => metadataOf(message).pending ?? []);
      const question = pending.findLast(({ toolCallId }) => toolCallId === answer.toolCallId);
      await sendMessage(undefined, { body: { answers: [{ ...answer, token: question?.token }] } });
      const refusal = isRefusal(store.error) ? store.error?.message : undefined;
      if (refusal !== undefined) clearError();
      return refusal;
    },
    dismissProblem() {
      setProblem(undefined);
      clearError();
    },
  };
}

/** Only the last message is sent: the server has the others. */
function transportOptions(server: ChatServer): HttpChatTransportInitOptions<UIMessage> {
  return {
    api: server.api,
    fetch: server.fetch,
    // Includes an answer that has ended meanwhile, so nothing is missing.
    prepareReconnectToStreamRequest: ({ api, id }) => ({ api: `${api}/${id}/stream?ended` }),
    prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body }) => ({
      body: { ...body, id, message: messages.at(-1), trigger, messageId },
    }),
  };
}

/** User messages have the same form for all agents. */
function userMessage(parts: UIMessage["parts"]): UIMessage {
  return { id: newId(), role: "user", parts };
}

/** Messages that are the same keep their objects, so that they are not drawn again. */
function keepKnown<M extends UIMessage>(known: readonly M[], loaded: readonly M[]): M[] {
  const before = new Map(known.map((message) => [message.id, message]));
  return loaded.map((message) => {
    const same = before.get(message.id);
    return same !== undefined && JSON.stringify(same) === JSON.stringify(message) ? same : message;
  });
}

/** All of the message is here, no matter how its stream ended. */
function isEnded(message: UIMessage | undefined): boolean {
  return stateOf(message) !== "streaming";
}

function stateOf(message: UIMessage | undefined): string {
  return metadataOf(message).state ?? "streaming";
}

function isReading(status: Chat<UIMessage>["status"]): boolean {
  return status === "submitted" || status === "streaming";
}

function isQueued(message: UIMessage): boolean {
  return metadataOf(message).queued === true;
}

/** As the handler writes it for any agent. */
function metadataOf(message: UIMessage | undefined): Partial<Metadata> {
  return message?.metadata ?? {};
}

/** True when a tool does not accept the arguments that it was approved with. */
function isRefusal(error: Error | undefined): boolean {
  return error instanceof ChatServerError && error.serverCode === "invalid_approval";
}

/** The content of a part of a message: its text, or where its file is. */
function contentKey(part: object): string {
  const { url, text } = part as SaidPart;
  return url ?? text ?? "";
}
