import type { Conversation, Message } from "@pollux/core/conversation";
import * as ai5 from "ai-v5";
import * as ai6 from "ai-v6";
import * as ai7 from "ai";
import { expect } from "vitest";
import {
  AiSdkEncoder,
  type AiSdkEncoderOptions,
  type AiSdkVersion,
  toUIMessages,
  type UIMessageChunk,
  withoutDiscards,
} from "@pollux/web/ai-sdk";
import { type Shows, WITH_CHANGES } from "./play.ts";

/** A message as the AI SDK keeps it, whatever its version. */
export interface BuiltMessage {
  readonly id: string;
  readonly role: string;
  readonly metadata?: unknown;
  readonly parts: readonly BuiltPart[];
}

/** Its parts, as far as tests look into them. */
export interface BuiltPart {
  readonly type: string;
  readonly state?: string;
  readonly approval?: { readonly id: string; readonly approved?: boolean };
  readonly [name: string]: unknown;
}

/** The package of each version. Their types differ in what tests do not look at. */
export const AI = { 5: ai5, 6: ai6, 7: ai7 } as unknown as { readonly [Version in AiSdkVersion]: AiPackage };

interface AiPackage {
  uiMessageChunkSchema: unknown;
  readUIMessageStream(options: {
    readonly message?: BuiltMessage | undefined;
    readonly stream: ReadableStream<UIMessageChunk>;
    readonly onError?: (error: unknown) => void;
  }): AsyncIterable<BuiltMessage>;
  safeValidateUIMessages(options: {
    readonly messages: unknown;
  }): Promise<{ readonly success: boolean; error?: unknown }>;
  lastAssistantMessageIsCompleteWithToolCalls(options: { readonly messages: readonly unknown[] }): boolean;
  lastAssistantMessageIsCompleteWithApprovalResponses?(options: { readonly messages: readonly unknown[] }): boolean;
}

export const VERSIONS: readonly AiSdkVersion[] = [5, 6, 7];

/** The chunks that a version's schema has found valid: most of them are in many streams. */
const VALID: Readonly<Record<AiSdkVersion, Set<string>>> = { 5: new Set(), 6: new Set(), 7: new Set() };

/** What a page of one version has of a stream that is over: each chunk is valid, and the AI SDK's own code built the message. */
export async function buildMessage(
  version: AiSdkVersion,
  chunks: readonly UIMessageChunk[],
  before?: BuiltMessage,
): Promise<BuiltMessage> {
  const ai = AI[version];
  const schema = ai.uiMessageChunkSchema;
  const { validate } = (typeof schema === "function" ? schema() : schema) as {
    validate: (value: unknown) => Promise<{ readonly success: boolean; readonly error?: unknown }>;
  };
  // As they arrive.
  const sent = chunks.map((chunk) => JSON.parse(JSON.stringify(chunk)) as UIMessageChunk);
  for (const chunk of sent) {
    const json = JSON.stringify(chunk);
    if (VALID[version].has(json)) continue;
    expect({ chunk, ...(await validate(chunk)) }).toMatchObject({ success: true });
    VALID[version].add(json);
  }
  const errors: string[] = [];
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of sent) controller.enqueue(chunk);
      controller.close();
    },
  });
  const onError = (error: unknown): void => void errors.push((error as Error).message);
  let built: BuiltMessage | undefined;
  const message = before === undefined ? undefined : structuredClone(before);
  for await (const one of ai.readUIMessageStream({ ...(message && { message }), stream, onError })) built = one;
  // The only errors are those that we sent.
  expect(errors).toEqual(sent.flatMap((chunk) => (chunk.type === "error" ? [chunk.errorText] : [])));
  if (built === undefined) throw new Error("the stream made no message");
  return built;
}

/** The chunks of one response, that follows a message through some of its states. */
export function encode(
  version: AiSdkVersion,
  states: readonly (readonly [Message, Conversation])[],
  { known, isReplay }: Pick<AiSdkEncoderOptions, "known" | "isReplay"> = {},
  shows: Shows = WITH_CHANGES,
): readonly UIMessageChunk[] {
  const encoder = new AiSdkEncoder({ version, known, isReplay });
  const chunks = states.flatMap(([message, conversation]) => encoder.show(message, conversation, shows(conversation)));
  const [, last] = states.at(-1) ?? [];
  return last === undefined ? chunks : [...chunks, ...encoder.finish(last)];
}

/**
 * A message as far as a page that has followed it can be held to the stored one: without what was taken back, and with the calls of
 * each step at its end, where they may stand before the words that came after them. What was approved is known to the page only.
 */
export function settled(version: AiSdkVersion, built: BuiltMessage, chunks: readonly UIMessageChunk[]): BuiltMessage {
  const { parts, ...rest } = withoutDiscards(built);
  const wasReset = chunks.some(({ type }) => type === "reset-step");
  const steps: BuiltPart[][] = [];
  for (const part of parts) {
    if (part.type === "step-start" || steps.length === 0) steps.push([]);
    steps.at(-1)?.push(part);
  }
  const sorted = steps.flatMap((step) => {
    if (wasReset && step.length === 1 && step[0]?.type === "step-start") return [];
    const tail = step.findIndex(isTail);
    const inside = tail === -1 ? step : step.slice(0, tail);
    const calls = inside.filter(isCall);
    return [...inside.filter((part) => !isCall(part)), ...calls, ...step.slice(inside.length)];
  });
  return { ...rest, parts: sorted.map((part) => withApproval(version, part)) };
}

function withApproval(version: AiSdkVersion, part: BuiltPart): BuiltPart {
  const { approval, ...others }: BuiltPart = part;
  if (approval === undefined || part.state === "approval-requested") return part;
  // Version 6 has no chunk for an answer to an approval.
  if (part.state === "output-denied")
    return { ...part, approval: version === 6 ? { ...approval, approved: false } : approval };
  return others;
}

function isCall({ type, providerExecuted }: BuiltPart): boolean {
  return (type.startsWith("tool-") || type === "dynamic-tool") && providerExecuted !== true;
}

function isTail({ type }: BuiltPart): boolean {
  return type.startsWith("source-") || type === "data-search-suggestions";
}

/** The stored message as a page loads it. */
export function loaded(version: AiSdkVersion, conversation: Conversation, id: string): BuiltMessage {
  const message = toUIMessages(conversation, { version }).find((one) => one.id === id);
  // As it arrives.
  return JSON.parse(JSON.stringify(message)) as BuiltMessage;
}
