import { createContext, useContext, useLayoutEffect, useMemo, useState } from "react";
import type { ComponentType, ReactElement, ReactNode } from "react";
import type { AnyCall, AnyChatMessage, AnyParts, CallOf, ToolNameOf } from "./chat-message.ts";
import { ChatServer, type ChatServerOptions } from "./chat-server.ts";

/** A range of a text, in UTF-16 units, and the numbers of the sources that support it. */
export interface CitedRange {
  readonly start: number;
  readonly end: number;
  readonly sources: readonly string[];
}

/** Id of a source in the page, which citations link to. */
export function sourceAnchor(messageId: string, number: string): string {
  return `source-${messageId}-${number}`;
}

/** What shows a text of the model. */
export interface MarkdownProps {
  readonly text: string;
  /** Where the footnotes lead: see `sourceAnchor`. */
  readonly messageId: string;
  readonly citations: readonly CitedRange[];
  /** More of it may come. */
  readonly isWriting: boolean;
  /**
   * The model has read untrusted and private content, so an address may leak it: links are shown as text. @defaultValue
   * false
   */
  readonly areLinksText?: boolean | undefined;
}

/** Props of the application's component for a tool. */
export interface ToolViewProps<Call = AnyCall> {
  readonly call: Call;
  /** The answer that it belongs to is being written. */
  readonly isOpen: boolean;
}

/** Components for calls, by the name of the tool. If one returns null, the card shows what it shows without it. */
export type ToolViews<M extends AnyParts = AnyChatMessage> = {
  readonly [Name in ToolNameOf<M>]?: ComponentType<ToolViewProps<CallOf<M, Name>>>;
};

export interface ChatProviderProps<M extends AnyParts = AnyChatMessage> extends ChatServerOptions {
  /** What shows the texts of the model: `Markdown` of `@pollux/react/markdown`. @defaultValue plain text */
  readonly markdown?: ComponentType<MarkdownProps> | undefined;
  /** Components of your own for calls of tools, below their cards. */
  readonly tools?: ToolViews<M> | undefined;
  /**
   * Shows the tokens, and with prices the cost, below each answer; `currency` is the currency of the prices.
   * @defaultValue none of them
   */
  readonly usage?: { readonly currency?: string | undefined } | undefined;
  readonly children?: ReactNode;
}

interface Settings extends Pick<ChatProviderProps, "usage"> {
  readonly server: ChatServer;
  readonly markdown: ComponentType<MarkdownProps>;
  readonly tools: { readonly [name: string]: ComponentType<ToolViewProps> | undefined };
}

const SettingsContext = createContext<Settings>({ server: new ChatServer(), markdown: PlainText, tools: {} });

/** Tells all hooks and components inside where the server is, and how texts and calls are shown. */
export function ChatProvider<M extends AnyParts>(props: ChatProviderProps<M>): ReactElement {
  const { api, headers, credentials, markdown = PlainText, tools, usage, children } = props;
  const [server] = useState(() => new ChatServer({ api, headers, credentials }));
  // A page has one server; its headers may change.
  useLayoutEffect(() => server.send({ headers, credentials }), [server, headers, credentials]);
  const settings = useMemo(
    // Each component gets calls of its tool only.
    () => ({ server, markdown, tools: (tools ?? {}) as Settings["tools"], usage }),
    [server, markdown, tools, usage],
  );
  return (
    <SettingsContext.Provider value={settings}>
      <div className="pollux">{children}</div>
    </SettingsContext.Provider>
  );
}

export function useSettings(): Settings {
  return useContext(SettingsContext);
}

function PlainText({ text }: MarkdownProps): ReactElement {
  return (
    <p className="plain-text" dir="auto">
      {text}
    </p>
  );
}
