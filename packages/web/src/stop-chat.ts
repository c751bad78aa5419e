/** Where a chat's server is, and how to reach it. */
export interface StopChatOptions {
  /** The path or URL of the handler. @defaultValue "/api/chat" */
  readonly api?: string | undefined;
  /** What the page sends with its messages, such as a token. */
  readonly headers?: HeadersInit | undefined;
  /** @defaultValue "same-origin" */
  readonly credentials?: RequestCredentials | undefined;
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * Stops the answer that a chat is writing, in any process, and waits for its end: the text so far is kept, and costs
 * stop. For the stop button of a page, before the `stop()` of `useChat` or the `abortRun()` of AG-UI, which only close
 * the connection.
 *
 * @param id - Of the chat, as the page knows it.
 * @returns False when no answer was being written.
 * @throws {Error} When the server refuses; with its message for a person. {TypeError} When the network fails.
 * @example
 * ```ts
 * stopButton.addEventListener("click", () => void stopChat("chat-1").then(() => chat.stop()));
 * ```
 */
export async function stopChat(id: string, options: StopChatOptions = {}): Promise<boolean> {
  const { api = "/api/chat", headers, credentials, fetch: ask = fetch } = options;
  const init = { method: "POST", ...(headers && { headers }), ...(credentials && { credentials }) };
  const response = await ask(`${api.replace(/\/$/, "")}/${encodeURIComponent(id)}/stop`, init);
  if (!response.ok) throw new Error(problemIn(await response.text()));
  // As the handler writes it.
  return ((await response.json()) as { readonly stopped: boolean }).stopped;
}

/** The text of an error for a person: the message in the body, or the body itself. */
function problemIn(body: string): string {
  try {
    // Any other body throws here.
    return (JSON.parse(body) as { readonly error: { readonly message: string } }).error.message;
  } catch {
    return body === "" ? "The answer could not be stopped. Try again." : body;
  }
}
