import { createHash } from "node:crypto";
import { type ElicitRequest, type ElicitResult, fromJsonSchema } from "@modelcontextprotocol/client";
import type { JsonObject, Logger, ToolContext } from "@pollux/core";
import { canonical } from "./result-output.ts";

/** Most characters of a server's question. */
const MOST_CHARACTERS = 2_000;

/** A server's question to the person. The server wrote all of it: show which server asks, and show it as plain text. */
export type McpQuestion = McpForm | McpLink;

/** A request for values from the person; by the protocol, never for a secret. */
export interface McpForm {
  readonly kind: "form";
  /** At most 2,000 characters. */
  readonly message: string;
  /** JSON Schema of a flat object of strings, numbers, booleans and choices. */
  readonly schema: JsonObject;
}

/** A request that the person do something on a page, such as signing in. */
export interface McpLink {
  readonly kind: "link";
  /** At most 2,000 characters. */
  readonly message: string;
  /** Its scheme is `http` or `https`. Show its host, and don't open it unasked. */
  readonly url: URL;
}

/**
 * The person's answer: values for a form, `true` for an opened page or a form without fields, `false` for a no. `undefined` if there was
 * no answer.
 */
export type McpAnswer = Readonly<Record<string, string | number | boolean | readonly string[]>> | boolean | undefined;

/** Where a question comes from. */
export interface McpQuestionContext {
  /** The server's name, as in errors. */
  readonly server: string;
  /**
   * Calls in progress on this connection. The protocol doesn't say which of several calls asks: where different people share a connection,
   * answer only if there is one call.
   */
  readonly calls: readonly McpAskingCall[];
  /** Aborts when the answer is no longer needed, and after `elicitTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** A call during which a server asks. */
export interface McpAskingCall {
  /** The server's name for the tool. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The call as its tool sees it: its run, session, and what the application gave the run. */
  readonly context: ToolContext;
}

/** Asks the person. */
export type OnElicit = (question: McpQuestion, context: McpQuestionContext) => Promise<McpAnswer> | McpAnswer;

/** Answers a server on the person's behalf. Never rejects: a failure is logged and counts as no answer. */
export async function answerElicitation(
  params: ElicitRequest["params"],
  onElicit: OnElicit,
  context: McpQuestionContext,
  logger: Logger | undefined,
): Promise<ElicitResult> {
  const facts = { mcpServer: context.server };
  try {
    const question = questionOf(params);
    if (question === undefined) {
      logger?.warn(facts, "MCP server's question refused: its URL is not a web page");
      return { action: "decline" };
    }
    const answer = await beforeAbort(context.signal, async () => await onElicit(question, context));
    if (answer === undefined) return { action: "cancel" };
    if (answer === false) return { action: "decline" };
    if (question.kind === "link") return { action: "accept" };
    const content = answer === true ? {} : { ...answer };
    const checked = await fromJsonSchema(question.schema)["~standard"].validate(content);
    if (checked.issues !== undefined) {
      const issues = checked.issues.map(({ message }) => message);
      logger?.error({ ...facts, issues }, "the answer to an MCP server does not match its form");
      return { action: "cancel" };
    }
    // Checked against the server's own schema; the SDK's type is mutable.
    return { action: "accept", content: content as NonNullable<ElicitResult["content"]> };
  } catch (error) {
    if (!context.signal.aborted) logger?.error({ ...facts, err: error }, "answering an MCP server failed");
    return { action: "cancel" };
  }
}

/**
 * Records an answer with its call: if the call is repeated after a crash and asks the same, the person isn't asked again. A missing answer
 * is not recorded.
 *
 * @param number - Number of the question in its call, from 1.
 */
export async function keepAnswer(
  { _meta, ...question }: ElicitRequest["params"],
  number: number,
  { step }: Pick<ToolContext, "step">,
  answer: () => Promise<ElicitResult>,
): Promise<ElicitResult> {
  if (step === undefined) return await answer();
  const hash = createHash("sha256").update(canonical(question)).digest("hex").slice(0, 16);
  let given: ElicitResult = { action: "cancel" };
  try {
    return await step(`elicit:${number}@${hash}`, async () => {
      given = await answer();
      if (given.action === "cancel") throw new Error("there is no answer to record");
      return given;
    });
  } catch (error) {
    if (given.action === "cancel") return given;
    throw error;
  }
}

/** Undefined if the URL is not `http` or `https`. */
export function questionOf(params: ElicitRequest["params"]): McpQuestion | undefined {
  const message = params.message.slice(0, MOST_CHARACTERS);
  if (params.mode === "url") {
    const url = URL.canParse(params.url) ? new URL(params.url) : undefined;
    return url === undefined || !/^https?:$/.test(url.protocol) ? undefined : { kind: "link", message, url };
  }
  // JSON from the wire.
  return { kind: "form", message, schema: params.requestedSchema as unknown as JsonObject };
}

async function beforeAbort<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(asError(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    stop = () => signal.removeEventListener("abort", onAbort);
  });
  return await Promise.race([work(), aborted]).finally(() => stop());
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
