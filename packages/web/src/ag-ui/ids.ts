/** Id of the message with a call's result. */
export function resultIdOf(toolCallId: string): string {
  return `${toolCallId}/result`;
}

/**
 * The question to a person about a call: may it run, what is the answer, did it take effect? It is part of the
 * interrupt's id, so that an answer can be read without knowing the call.
 */
export type InterruptKind = "approval" | "question" | "effect";

export function interruptIdOf(kind: InterruptKind, toolCallId: string, token: string): string {
  return `${kind}:${toolCallId}#${token}`;
}

/** What an interrupt asks about which call; undefined for an id that cannot be ours. */
export function interruptOf(
  interruptId: string,
): { readonly kind: InterruptKind; readonly toolCallId: string; readonly token: string } | undefined {
  const [, kind, toolCallId, token] = /^(approval|question|effect):(.+)#(.+)$/s.exec(interruptId) ?? [];
  if (kind === undefined || toolCallId === undefined || token === undefined) return undefined;
  // The pattern has just these.
  return { kind: kind as InterruptKind, toolCallId, token };
}
