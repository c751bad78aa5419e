import { useEffect, useRef } from "react";
import { isGoing, type StoredChat } from "../chat-server.ts";
import { useSettings } from "../settings.tsx";

export interface Following {
  readonly id: string;
  /** Whether a run was going when it was loaded. */
  readonly isGoing: boolean;
  /** Changes whenever the server's list says that the conversation has changed. */
  readonly version: string | undefined;
  readonly isBusy: boolean;
  /** The same, but current at any time. */
  readonly isBusyNow: () => boolean;
  /** Why the last stream broke off: another object each time. */
  readonly failure: Error | undefined;
  readonly isOnline: boolean;
  /** Sends what did not arrive; the server runs it once, however often it is sent. Undefined when all did. */
  readonly resend: (() => Promise<void>) | undefined;
  readonly show: (loaded: StoredChat) => void;
  readonly follow: () => Promise<void>;
}

/** Time between two attempts to reach the server, in milliseconds. */
const RETRY_MS = 1000;

/** Keeps a conversation up to date with what happens to it in other tabs and processes, and after the network was down. */
export function useFollowing(following: Following): void {
  const { version, isBusy, failure, isOnline } = following;
  const { server } = useSettings();
  const latest = useLatest(following);
  /** The version that was seen last. */
  const seen = useRef(version);
  const isFirst = useRef(true);
  const triedAt = useRef(0);

  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      if (latest.current.isGoing) return void latest.current.follow();
    }
    if (isBusy || !isOnline || (version === seen.current && failure === undefined)) return;
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      triedAt.current = Date.now();
      const { id, resend, isBusyNow, show } = latest.current;
      if (resend !== undefined) return await resend();
      const loaded = await server.load(id).catch(() => undefined);
      if (!isWanted || isBusyNow()) return;
      if (loaded === undefined) return lookSoon();
      seen.current = version;
      show(loaded);
      if (isGoing(loaded.state)) await latest.current.follow();
    };
    const lookSoon = (): void => {
      timer = setTimeout(() => void look(), Math.max(0, triedAt.current + RETRY_MS - Date.now()));
    };
    lookSoon();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [latest, server, version, isBusy, failure, isOnline]);
}

/** The value of the last render. */
export function useLatest<Value>(value: Value): { readonly current: Value } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
