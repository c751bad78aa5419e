/** A message of the AI SDK, of any version. */
interface AnyMessage {
  readonly parts: readonly { readonly type: string }[];
}

/**
 * A message without what the model said in vain: an answer that broke off and is made anew. The clients of version 5 and 6 of the AI SDK
 * can't take anything back, so the stream marks it by a `data-discard` part; call this on each message before you show it. A message
 * that is loaded from the server has none.
 *
 * @returns The same object when there is nothing to remove.
 */
export function withoutDiscards<M extends AnyMessage>(message: M): M {
  if (!message.parts.some(isDiscard)) return message;
  const steps: AnyMessage["parts"][number][][] = [[]];
  for (const part of message.parts) {
    if (isDiscard(part)) steps.splice(Math.max(1, steps.length - part.data.steps));
    else if (part.type === "step-start") steps.push([part]);
    else steps.at(-1)?.push(part);
  }
  // The parts are those of the message.
  return { ...message, parts: steps.flat() };
}

function isDiscard(part: {
  readonly type: string;
}): part is { readonly type: "data-discard"; readonly data: { readonly steps: number } } {
  return part.type === "data-discard";
}
