import type { Reach, Reads, ToolContext } from "@pollux/core";
import { type OpenApiAnswer, answerOf } from "./answer.ts";
import { answerTypes } from "./body.ts";
import { NO_CREDENTIALS, type SentCredentials, sentCredentials } from "./credentials.ts";
import type { OpenApiRoot } from "./document.ts";
import { type FoundOperation, reads, shown } from "./operations.ts";
import type { OpenApiOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { requestOf } from "./request.ts";
import { send } from "./send.ts";
import type { Servers } from "./server.ts";

/** Shared by all calls of one document. */
export interface Service {
  readonly document: OpenApiRoot;
  readonly servers: Servers;
  readonly options: OpenApiOptions;
}

/** @throws {ToolError} For an error from the service or the network. @throws {ModelRetry} For values that cannot be sent. */
export async function callOperation(
  { document, servers, options }: Service,
  plan: Plan,
  input: unknown,
  { signal }: Pick<ToolContext, "signal">,
): Promise<OpenApiAnswer> {
  const { operation } = plan;
  const server = servers.of(operation);
  // `parse` has checked that it is an object.
  const request = requestOf(plan, input as { readonly [name: string]: unknown }, server);
  const credentials = await credentialsFor(plan, server.origin === servers.main.origin, options, signal);
  const title = `${operation.method} ${operation.path}`;
  const json = answerTypes(document, operation).find((type) => /^[^;]*[/+]json\b/i.test(type));
  const response = await send(request, {
    method: operation.method,
    title,
    accept: json === undefined ? "application/json, */*;q=0.8" : `${json}, */*;q=0.8`,
    credentials,
    fetch: options.fetch ?? globalThis.fetch,
    signal,
  });
  return await answerOf(response, title, credentials, options.maxResultBytes ?? MAX_RESULT_BYTES);
}

/** What the results of an operation bring into a history, and how far a call reaches: only to the service that holds the data. */
export function trustOf(
  { servers, options }: Service,
  operation: FoundOperation,
): { readonly reads: Reads; readonly reach: Reach; readonly origin: string } {
  const { origin } = servers.of(operation);
  const isKnown = options.auth !== undefined && origin === servers.main.origin;
  return {
    reads: isKnown ? ["untrusted", "private"] : "untrusted",
    reach: reads(operation) ? "lookup" : "outside",
    origin,
  };
}

/** Default size limit of a result, in bytes. */
export const MAX_RESULT_BYTES = 32_768;

/** Sends credentials only to the host they belong to, not to other hosts that a document may list for an operation. */
async function credentialsFor(
  { operation }: Plan,
  isMain: boolean,
  { auth }: OpenApiOptions,
  signal: AbortSignal,
): Promise<SentCredentials> {
  if (auth === undefined || !isMain) return NO_CREDENTIALS;
  return sentCredentials(typeof auth === "function" ? await auth(shown(operation), signal) : auth);
}
