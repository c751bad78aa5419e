import { useCallback, useEffect, useRef, useState } from "react";
import { type ChatSummary, errorFrom, isUnreached } from "../chat-server.ts";
import { useSettings } from "../settings.tsx";

const POLL_MS = 2500;

/** The conversations, kept up to date with other tabs and other processes. */
export interface Chats {
  /** The most recent first. Undefined until they are loaded. */
  readonly list: readonly ChatSummary[] | undefined;
  /** False while the server can't be reached. */
  readonly isOnline: boolean;
  /** Why the server, which can be reached, does not list them. */
  readonly problem: Error | undefined;
  readonly refresh: () => Promise<void>;
  /** @throws {ChatServerError} When the server refuses. */
  readonly rename: (id: string, title: string) => Promise<void>;
  /** @throws {ChatServerError} When the server refuses. */
  readonly remove: (id: string) => Promise<void>;
}

/** Lists the conversations of the person, and asks for changes every 2.5 seconds while the page is in view. */
export function useChats(): Chats {
  const { server } = useSettings();
  const [list, setList] = useState<readonly ChatSummary[]>();
  const [problem, setProblem] = useState<Error>();
  const otherTabs = useRef<BroadcastChannel | undefined>(undefined);

  const load = useCallback(async () => {
    try {
      const found = await server.list();
      setProblem(undefined);
      setList((known) => (JSON.stringify(known) === JSON.stringify(found) ? known : found));
    } catch (error) {
      setProblem(errorFrom(error));
    }
  }, [server]);

  useEffect(() => {
    const left = new AbortController();
    const until = { signal: left.signal };
    const look = (): void => void (document.visibilityState === "visible" && load());
    look();
    const timer = setInterval(look, POLL_MS);
    const channel = new BroadcastChannel("pollux-chats");
    otherTabs.current = channel;
    channel.addEventListener("message", look, until);
    document.addEventListener("visibilitychange", look, until);
    addEventListener("online", look, until);
    return () => {
      left.abort();
      clearInterval(timer);
      otherTabs.current = undefined;
      channel.close();
    };
  }, [load]);

  const refresh = useCallback(async () => {
    await load();
    otherTabs.current?.postMessage("changed");
  }, [load]);

  const changed = async (work: Promise<void>): Promise<void> => {
    await Promise.allSettled([work]);
    await refresh();
    await work;
  };
  const isOnline = !isUnreached(problem);
  return {
    list,
    isOnline,
    problem: isOnline ? problem : undefined,
    refresh,
    rename: async (id, title) => await changed(server.rename(id, title)),
    remove: async (id) => await changed(server.remove(id)),
  };
}
