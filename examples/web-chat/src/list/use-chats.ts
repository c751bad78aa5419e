import { useCallback, useEffect, useState } from "react";
import { type ChatSummary, deleteChat, listChats, renameChat } from "../server.ts";

const POLL_MS = 2500;

/** The conversations, kept up to date with other tabs and other processes. */
export interface Chats {
  /** Undefined until they are loaded. */
  readonly list: readonly ChatSummary[] | undefined;
  /** False while the server can't be reached. */
  readonly isOnline: boolean;
  readonly refresh: () => Promise<void>;
  readonly rename: (id: string, title: string) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
}

export function useChats(): Chats {
  const [list, setList] = useState<readonly ChatSummary[]>();
  const [isOnline, setOnline] = useState(true);

  const load = useCallback(async () => {
    try {
      const found = await listChats();
      setOnline(true);
      setList((known) => (JSON.stringify(known) === JSON.stringify(found) ? known : found));
    } catch {
      setOnline(false);
    }
  }, []);

  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible") void load();
    };
    look();
    const timer = setInterval(look, POLL_MS);
    const channel = otherTabs();
    channel.addEventListener("message", look);
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    return () => {
      clearInterval(timer);
      channel.close();
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
    };
  }, [load]);

  const refresh = useCallback(async () => {
    await load();
    const channel = otherTabs();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel, not a window
    channel.postMessage("changed");
    channel.close();
  }, [load]);

  const change = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } finally {
      await refresh();
    }
  };
  return {
    list,
    isOnline,
    refresh,
    rename: async (id, title) => await change(renameChat(id, title)),
    remove: async (id) => await change(deleteChat(id)),
  };
}

function otherTabs(): BroadcastChannel {
  return new BroadcastChannel("chats");
}
