import { useEffect, useRef } from "react";
import { type ChatSummary, isGoing, loadChat, type StoredChat } from "../server.ts";

export interface Following {
  readonly id: string;
  /** A run was going when the conversation was loaded. */
  readonly isGoing: boolean;
  /** The conversation as the list has it: what happens elsewhere shows there first. */
  readonly summary: ChatSummary | undefined;
  /** A stream is being read here. */
  readonly isBusy: boolean;
  /** The same, asked at any time. */
  readonly isBusyNow: () => boolean;
  /** The last stream broke off. */
  readonly hasFailed: boolean;
  readonly isOnline: boolean;
  /** Sends what did not arrive; the server runs it once, however often it is sent. Undefined when all did. */
  readonly resend: (() => Promise<void>) | undefined;
  readonly show: (loaded: StoredChat) => void;
  /** Reads the stream of the run that is going. */
  readonly follow: () => Promise<void>;
}

/** Keeps a conversation up to date with what happens to it in other tabs and processes, and after the network was away. */
export function useFollowing(following: Following): void {
  const { summary, isBusy, hasFailed, isOnline } = following;
  const latest = useRef(following);
  /** The state of the conversation that was looked at last. */
  const seen = useRef<string | undefined>(undefined);
  const isFirst = useRef(true);

  useEffect(() => {
    latest.current = following;
  });
  useEffect(() => {
    const version = summary && `${summary.updatedAt} ${summary.state}`;
    if (isFirst.current) {
      isFirst.current = false;
      seen.current = version;
      if (latest.current.isGoing) void latest.current.follow();
      return;
    }
    if (isBusy || !isOnline || (version === seen.current && !hasFailed)) return;
    seen.current = version;
    if (latest.current.resend !== undefined) {
      void latest.current.resend();
      return;
    }
    void (async () => {
      const loaded = await loadChat(latest.current.id).catch(() => undefined);
      if (latest.current.isBusyNow()) return;
      if (loaded === undefined) seen.current = undefined;
      else {
        latest.current.show(loaded);
        if (isGoing(loaded.state)) await latest.current.follow();
      }
    })();
  }, [summary, isBusy, hasFailed, isOnline]);
}
