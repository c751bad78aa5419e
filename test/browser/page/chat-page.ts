import { type AiSdkVersion, withoutDiscards } from "@pollux/web/ai-sdk";
import { createElement, type ReactElement, useLayoutEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { describePart, type PageMessage, type PagePart } from "./describe-part.ts";

/** The parts of one version of the AI SDK that the page uses. */
export interface Kit {
  readonly version: AiSdkVersion;
  readonly useChat: (options: object) => Chat;
  readonly Transport: new (options: TransportOptions) => object;
  /** The SDK's predicates for a message without open questions: the page sends when one of them is true. */
  readonly isAnswered: readonly ((given: { messages: never[] }) => boolean)[];
}

/** Options of a transport. */
interface TransportOptions {
  readonly api: string;
  readonly prepareReconnectToStreamRequest: (request: { readonly api: string; readonly id: string }) => {
    readonly api: string;
  };
}

/** What `useChat` returns. */
interface Chat {
  readonly messages: readonly PageMessage[];
  readonly status: string;
  readonly error: Error | undefined;
  sendMessage(
    message?: { readonly id?: string; readonly messageId?: string; readonly parts: readonly PagePart[] },
    options?: { readonly body?: object },
  ): Promise<void>;
  setMessages(messages: readonly PageMessage[]): void;
  resumeStream(): Promise<void>;
  regenerate(): Promise<void>;
  addToolOutput(output: {
    readonly tool: string;
    readonly toolCallId: string;
    readonly output: unknown;
  }): Promise<void>;
  /** Not in version 5. */
  readonly addToolApprovalResponse?: (answer: { readonly id: string; readonly approved: boolean }) => Promise<void>;
}

/** A conversation as the handler returns it. */
interface Stored {
  readonly state: string;
  readonly messages: readonly PageMessage[];
}

/** The page's functions for tests. */
export interface PageView {
  readonly status: string;
  readonly error: string | undefined;
  /** Nothing is in progress or about to start. */
  readonly isQuiet: boolean;
  say(text: string): void;
  askAgain(): void;
  /** Replaces the first message. */
  editFirst(text: string): void;
}

/** Shows the conversation `?chat=`: the stored messages, then the new ones. */
export function openPage(kit: Kit): void {
  const id = new URLSearchParams(location.search).get("chat") ?? "";
  const api = `/${kit.version}/api/chat`;
  void insist(() => load(api, id)).then((stored) =>
    createRoot(document.body).render(createElement(ChatPage, { kit, id, api, stored })),
  );
}

interface ChatPageProps {
  readonly kit: Kit;
  readonly id: string;
  readonly api: string;
  readonly stored: Stored;
}

function ChatPage({ kit, id, api, stored }: ChatPageProps): ReactElement {
  const [transport] = useState(
    () =>
      new kit.Transport({
        api,
        prepareReconnectToStreamRequest: (request) => ({ api: `${request.api}/${request.id}/stream?ended` }),
      }),
  );
  const sendAutomaticallyWhen = ({ messages: given }: { readonly messages: readonly never[] }): boolean =>
    kit.isAnswered.some((isAnswered) => isAnswered({ messages: [...given] }));
  const chat = kit.useChat({ id, messages: stored.messages, transport, sendAutomaticallyWhen });
  const latest = useRef(chat);
  latest.current = chat;
  const recoveries = useRef(0);
  const [decisions, setDecisions] = useState<Decisions>(new Map());
  const { messages, status, error } = chat;

  /** Does work that a test has to wait for. React draws the result a moment later. */
  const busy = (work: Promise<void>): void => {
    recoveries.current++;
    void work.finally(() => setTimeout(() => recoveries.current--, 50));
  };

  // Together with the rendering, not after it: a test must not find a page quiet that is about to act.
  useLayoutEffect(() => {
    if (isGoing(stored)) busy(latest.current.resumeStream());
    // Once, for the loaded messages.
  }, []);

  useLayoutEffect(() => {
    if (isNetwork(error)) busy(recover(() => latest.current));
  }, [error]);

  const last = messages.at(-1);
  const view: PageView = {
    status,
    error: error?.message,
    get isQuiet() {
      const isIdle = status === "ready" || (status === "error" && !isNetwork(error));
      return isIdle && recoveries.current === 0 && last?.metadata?.state !== "streaming";
    },
    say: (text) => void chat.sendMessage({ parts: [{ type: "text", text }] }),
    askAgain: () => void chat.regenerate(),
    editFirst: (text) => void chat.sendMessage({ messageId: messages[0]?.id ?? "", parts: [{ type: "text", text }] }),
  };
  useLayoutEffect(() => void Object.assign(window, { view }));
  const choices = (part: PagePart): ReactElement[] => buttons(kit, chat, part, [decisions, setDecisions]);
  return createElement("main", {}, ...messages.map((message) => showMessage(withoutDiscards(message), choices)));
}

function showMessage({ id, role, parts }: PageMessage, choices: (part: PagePart) => ReactElement[]): ReactElement {
  const shown = parts.flatMap((part, index) => {
    const text = describePart(part);
    return text === "" ? [] : [createElement("p", { key: index }, text), ...choices(part)];
  });
  return createElement("article", { key: id, id, className: role }, ...shown);
}

/** Decisions about calls, by call id: version 5 has no parts for them. */
type Decisions = ReadonlyMap<string, boolean>;

/** A person's buttons for a call. */
function buttons(
  { version }: Kit,
  chat: Chat,
  { type, state, approval, toolCallId = "" }: PagePart,
  [decisions, setDecisions]: readonly [Decisions, (decisions: Decisions) => void],
): ReactElement[] {
  const button = (name: string, onClick: () => unknown): ReactElement =>
    createElement("button", { key: `${name} ${toolCallId}`, onClick }, name);
  if (state === "approval-requested" && approval !== undefined) {
    const decide = (approved: boolean) => () => chat.addToolApprovalResponse?.({ id: approval.id, approved });
    return [button("Approve", decide(true)), button("Deny", decide(false))];
  }
  if (state !== "input-available") return [];
  if (type === "tool-where")
    return [button("Tell", () => chat.addToolOutput({ tool: "where", toolCallId, output: { city: "Oslo" } }))];
  if (type !== "tool-pay" || version !== 5 || decisions.has(toolCallId)) return [];
  const decide = (approved: boolean) => () => {
    const all = new Map([...decisions, [toolCallId, approved]]);
    setDecisions(all);
    const waiting = (chat.messages.at(-1)?.parts ?? []).filter((part) => part.state === "input-available");
    if (waiting.some((part) => !all.has(part.toolCallId ?? ""))) return;
    const asked = chat.messages.at(-1)?.metadata?.pending ?? [];
    const answers = asked.map((one) => ({ ...one, approved: all.get(one.toolCallId) }));
    void chat.sendMessage(undefined, { body: { answers } });
  };
  return [button("Approve", decide(true)), button("Deny", decide(false))];
}

/** Shows the conversation again after a network failure, the way the guide recommends. */
async function recover(chat: () => Chat): Promise<void> {
  await sleep(30);
  const last = chat().messages.at(-1);
  if (last?.role !== "user") return await chat().resumeStream();
  // The message may have arrived. A second one with the same id counts once.
  chat().setMessages(chat().messages.slice(0, -1));
  await chat().sendMessage({ id: last.id, parts: last.parts });
}

async function load(api: string, id: string): Promise<Stored> {
  const response = await fetch(`${api}/${id}`);
  if (response.status === 404) return { state: "idle", messages: [] };
  return (await response.json()) as Stored;
}

/** Retries until the server is reachable. */
async function insist<Value>(get: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await get();
    } catch (error) {
      if (!isNetwork(error)) throw error;
      await sleep(30);
    }
  }
}

function isGoing({ state }: Stored): boolean {
  return state === "running" || state === "cut-off";
}

function isNetwork(error: unknown): boolean {
  return error instanceof TypeError;
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
