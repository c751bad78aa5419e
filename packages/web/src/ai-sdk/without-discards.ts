/** A message of the AI SDK, of any version. */
interface AnyMessage {
  readonly parts: readonly { readonly type: string }[];
}

type Part = AnyMessage["parts"][number];

/**
 * A message without its void parts: from an answer that broke off and started over, or repeated by a replay. Clients of
 * version 5 and 6 of the AI SDK can't take anything back, so the stream marks it with a `data-discard` part; call this
 * on each message before you show it. Messages loaded from the server have none.
 *
 * @returns The same object when there is nothing to remove.
 * @example
 * ```ts
 * const shown = messages.map((message) => withoutDiscards(message));
 * ```
 */
export function withoutDiscards<M extends AnyMessage>(message: M): M {
  if (!message.parts.some(isDiscard)) return message;
  let steps: Part[][] = [[]];
  for (const part of message.parts) {
    if (isDiscard(part)) steps = drop(steps, part.data.steps);
    else if (part.type === "step-start") steps.push([part]);
    else steps.at(-1)?.push(part);
  }
  // The parts come from the message.
  return { ...message, parts: steps.flat() };
}

/** The first list has the parts before the first step. Data that was sent again under its id is still in its old place. */
function drop(lists: readonly Part[][], count: number | "all"): Part[][] {
  const end = count === "all" ? 0 : Math.max(1, lists.length - count);
  const lasting = lists
    .slice(end)
    .flat()
    .filter((part) => part.type.startsWith("data-") && "id" in part);
  const kept = lists.slice(0, end);
  return [...kept.slice(0, -1), [...(kept.at(-1) ?? []), ...lasting]];
}

function isDiscard(part: {
  readonly type: string;
}): part is { readonly type: "data-discard"; readonly data: { readonly steps: number | "all" } } {
  return part.type === "data-discard";
}
