/** A message of `useChat`: the members that all three versions share. */
export interface PageMessage {
  readonly id: string;
  readonly role: "user" | "assistant" | "system";
  readonly metadata?: {
    readonly state?: string;
    readonly pending?: readonly { readonly toolCallId: string; readonly token: string }[];
  };
  readonly parts: readonly PagePart[];
}

/** One of its parts. */
export interface PagePart {
  readonly type: string;
  readonly text?: string;
  readonly state?: string;
  readonly toolCallId?: string;
  readonly preliminary?: boolean;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly approval?: { readonly id: string; readonly approved?: boolean };
  readonly url?: string;
  readonly sourceId?: string;
}

/** A part as the page shows it; empty for an invisible one. */
export function describePart(part: PagePart): string {
  const { type, text = "", state, url = "" } = part;
  if (type === "step-start") return "";
  if (type === "text") return text;
  if (type === "reasoning") return `Thought: ${text}`;
  if (type === "file") return `File: ${url}`;
  if (type === "source-url") return `Source ${part.sourceId}: ${url}`;
  if (part.toolCallId === undefined) return type;
  const result = part.errorText ?? (part.output === undefined ? "" : JSON.stringify(part.output));
  return [type, state, part.preliminary === true ? "preliminary" : "", result].filter((word) => word !== "").join(" ");
}
