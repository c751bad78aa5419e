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
  /** The person leaves a conversation that does not exist. Without it, one that does not exist is a new one. */
  readonly onLeave?: (() => void) | undefined;
}

/** A conversation, once it is loaded. Give it a `key`: another conversation is another one. */
export function LoadedConversation<M extends UIMessage>(props: LoadedConversationProps<M>): ReactElement {
  const { isNew = false, onLeave, ...rest } = props;
  const { server } = useSettings();
  const [chat, setChat] = useState<StoredChat<M> | "missing" | undefined>(isNew ? EMPTY : undefined);
  const [problem, setProblem] = useState<Error>();
  const isLoaded = chat !== undefined;
  const { id, isOnline } = rest;
  const [wasOnline, setWasOnline] = useState(isOnline);
  if (wasOnline !== isOnline) {
    setWasOnline(isOnline);
    setProblem(undefined);
  }
  useEffect(() => {
    if (isLoaded || problem !== undefined || isOnline === false) return;
    let isWanted = true;
    server.load(id).then(
      // The same agent's.
      (found) => isWanted && setChat((found as unknown as StoredChat<M> | undefined) ?? "missing"),
      (error: unknown) => isWanted && setProblem(errorFrom(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [server, id, isLoaded, problem, isOnline]);

  if (problem !== undefined)
    return <Place says={describeProblem(problem)} offers="Try again" onPress={() => setProblem(undefined)} />;
  if (chat === undefined) return <main className="place" aria-busy="true" aria-label="Loading" />;
  if (chat === "missing" && onLeave !== undefined)
    return (
      <Place says="This conversation does not exist, or was deleted." offers="Start a new one" onPress={onLeave} />
    );
  return <Conversation<M> stored={chat === "missing" ? EMPTY : chat} {...rest} />;
}

const EMPTY: StoredChat<never> = { state: "idle", messages: [] };

interface PlaceProps {
  readonly says: string;
  readonly offers: string;
  readonly onPress: () => void;
}

/** What is shown where there is no conversation. */
function Place({ says, offers, onPress }: PlaceProps): ReactElement {
  return (
    <main className="place">
      <p role="alert">{says}</p>
      <Button className="primary" onClick={onPress} label={offers} />
    </main>
  );
}
