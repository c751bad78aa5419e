import type { UIMessage } from "ai";
import { type ReactElement, useEffect, useState } from "react";
import { Button } from "../button.tsx";
import type { AnyChatMessage } from "../chat-message.ts";
import { errorFrom, type StoredChat } from "../chat-server.ts";
import { useSettings } from "../settings.tsx";
import { describeProblem } from "../words.ts";
import { Conversation, type ConversationProps } from "./conversation.tsx";

export interface LoadedConversationProps<M = AnyChatMessage> extends Omit<ConversationProps<M>, "stored"> {
  /** It has not begun: there is nothing to load. @defaultValue false */
  readonly isNew?: boolean | undefined;
  /** Called when the person leaves a conversation that does not exist. Without it, one that does not exist is a new one. */
  readonly onLeave?: (() => void) | undefined;
}

/** A conversation, once it is loaded. Give it its id as `key`: it can't change to another conversation. */
export function LoadedConversation<M extends UIMessage>(props: LoadedConversationProps<M>): ReactElement {
  const { isNew = false, onLeave, ...rest } = props;
  const { server } = useSettings();
  const [chat, setChat] = useState<StoredChat<M> | "missing" | undefined>(isNew ? EMPTY : undefined);
  const [failure, setFailure] = useState<{ readonly problem: Error; readonly isOnline: boolean }>();
  const isLoaded = chat !== undefined;
  const { id, isOnline = true } = rest;
  // Once the network is back, another attempt is made.
  const problem = failure?.isOnline === isOnline ? failure.problem : undefined;
  useEffect(() => {
    if (isLoaded || problem !== undefined || !isOnline) return;
    let isWanted = true;
    server.load(id).then(
      // Of the same agent.
      (found) => isWanted && setChat((found as unknown as StoredChat<M> | undefined) ?? "missing"),
      (error: unknown) => isWanted && setFailure({ problem: errorFrom(error), isOnline }),
    );
    return () => {
      isWanted = false;
    };
  }, [server, id, isLoaded, problem, isOnline]);

  if (problem !== undefined)
    return <Place says={describeProblem(problem)} label="Try again" onClick={() => setFailure(undefined)} />;
  if (chat === undefined) return <main className="place" aria-busy="true" aria-label="Loading" />;
  if (chat === "missing" && onLeave !== undefined)
    return <Place says="This conversation does not exist, or was deleted." label="Start a new one" onClick={onLeave} />;
  return <Conversation<M> stored={chat === "missing" ? EMPTY : chat} {...rest} />;
}

const EMPTY: StoredChat<never> = { state: "idle", messages: [] };

/** What is shown where there is no conversation. */
function Place({ says, ...button }: { says: string; label: string; onClick: () => void }): ReactElement {
  return (
    <main className="place">
      <p role="alert">{says}</p>
      <Button className="primary" {...button} />
    </main>
  );
}
