import type { Agent } from "@pollux/core";
import type { InferUIMessage } from "@pollux/web/ai-sdk";

/** A message of a Pollux agent with any tools, as version 6 or 7 of the AI SDK keeps it. */
export type AnyChatMessage = InferUIMessage<Agent, 7>;

/** A part of a chat message. */
export type AnyPart = AnyChatMessage["parts"][number];

/** A call of a tool. */
export type AnyCall = Extract<AnyPart, { toolCallId: string }>;

/** A message of any agent. */
export interface AnyParts {
  readonly parts: readonly unknown[];
}

/** The call of a tool by its name, with the types of its input and output. */
export type CallOf<M extends AnyParts, Name extends string> = Extract<M["parts"][number], { type: `tool-${Name}` }>;

/** Names of the tools of a message's agent. */
export type ToolNameOf<M extends AnyParts> = NameOf<M["parts"][number]>;

type NameOf<Part> = Part extends { type: `tool-${infer Name}` } ? Name : never;

export type Metadata = NonNullable<AnyChatMessage["metadata"]>;

/** A call that waits for an answer or a job. */
export type PendingCall = NonNullable<Metadata["pending"]>[number];

/** A message that a person is about to send. */
export interface Draft {
  readonly text: string;
  readonly files: readonly DraftFile[];
}

/** A file that goes with a message. */
export interface DraftFile {
  readonly type: "file";
  /** A `data:` URL. */
  readonly url: string;
  readonly mediaType: string;
  readonly filename?: string;
}

/** An answer to a call that the AI SDK can't express. */
export type CallAnswer =
  | { readonly toolCallId: string; readonly notExecuted: true }
  | { readonly toolCallId: string; readonly output: unknown }
  /** Approves the call with other arguments. */
  | { readonly toolCallId: string; readonly args: Readonly<Record<string, unknown>> };

export function isCall(part: AnyPart): part is AnyCall {
  return "toolCallId" in part;
}

/** The name of a call's tool. */
export function toolNameOf(call: AnyCall): string {
  return call.type === "dynamic-tool" ? call.toolName : call.type.slice("tool-".length);
}

/** `get_weather` as "Get weather". */
export function toolLabelOf(name: string): string {
  if (/^google_search/i.test(name)) return "Google Search";
  const words = name.replaceAll("_", " ").toLowerCase();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** All text of an answer, as one. */
export function textOf(message: { readonly parts: readonly { readonly type: string }[] }): string {
  const texts = message.parts.map((part) => (part.type === "text" && "text" in part ? String(part.text) : ""));
  return texts.filter((text) => text !== "").join("\n\n");
}

/** A text or a file of a person's message. */
export interface SaidPart {
  readonly type: string;
  readonly text?: string;
  readonly url?: string;
  readonly mediaType?: string;
  readonly filename?: string;
}

/** The person's message in the middle of an answer, if the part is one. */
export function steeredBy(part: { readonly type: string }): readonly SaidPart[] {
  // As the encoder of the handler makes them; the name is the SDK's from version 7 on.
  const { type, data, parts } = part as { type: string; data?: { parts: SaidPart[] }; parts?: SaidPart[] };
  return (type === "data-steering" ? data?.parts : type === "steering-message" ? parts : undefined) ?? [];
}
