/** Id of a call for clients: a call's own is unique in its run only. */
export function toolCallIdOf(messageId: string, callId: string): string {
  return `${messageId}/${callId}`;
}

/** The message and the call in an id for clients; undefined when it is not such an id. */
export function callOf(toolCallId: string): { readonly messageId: string; readonly callId: string } | undefined {
  const at = toolCallId.lastIndexOf("/");
  if (at <= 0 || at === toolCallId.length - 1) return undefined;
  return { messageId: toolCallId.slice(0, at), callId: toolCallId.slice(at + 1) };
}
