import { useSyncExternalStore } from "react";

/** The conversation that the address names; undefined for a new one. */
export function useChatId(): string | undefined {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  return path.startsWith("/chat/") ? path.slice("/chat/".length) : undefined;
}

/** Goes to a conversation, or to a new one. */
export function openChat(id?: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const path = id === undefined ? "/" : `/chat/${id}`;
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

function subscribe(listen: () => void): () => void {
  addEventListener("popstate", listen);
  return () => removeEventListener("popstate", listen);
}
