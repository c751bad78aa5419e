import { type KeyboardEvent, useEffect, useState } from "react";

/** A new id of a conversation or a message: also on a page without HTTPS, where browsers have no `randomUUID`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keeps a text for when the page is loaded again. A browser that keeps nothing, or that is full, loses it. */
export function remember(storage: "localStorage" | "sessionStorage", key: string, text: string): void {
  try {
    if (text === "") globalThis[storage].removeItem(key);
    else globalThis[storage].setItem(key, text);
  } catch {
    // It is a convenience.
  }
}

/** What was kept; otherwise an empty text. */
export function recall(storage: "localStorage" | "sessionStorage", key: string): string {
  try {
    return globalThis[storage].getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** True for the key that sends: not while an input method composes a word, which Safari tells by the key code alone. */
export function isSendKey({ key, shiftKey, nativeEvent }: KeyboardEvent): boolean {
  return key === "Enter" && !shiftKey && !nativeEvent.isComposing && nativeEvent.keyCode !== 229;
}

/** Replaces the browser's default action. */
export function instead(event: { preventDefault(): void }, work: () => void): void {
  event.preventDefault();
  work();
}

/** The time, updated every `everyMs` milliseconds; never without it. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
