import { AgentError } from "@pollux/core/wire";
import { errors, jwtVerify } from "jose";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import type { WebhookEvent } from "./webhook-event.ts";
import type { WebhookKeys } from "./webhook-keys.ts";

/**
 * What {@link verifyWebhook} trusts: the secrets of a project's webhooks, Google's keys for single requests' webhooks,
 * or both.
 */
export interface VerifyWebhookOptions {
  /** Signing secrets of the project's webhook (`whsec_…`), the current one and, for the day of its rotation, the one before. */
  readonly secrets?: readonly string[] | undefined;
  /** Google's keys, from `webhookKeys()`. Requires `audience`. */
  readonly keys?: WebhookKeys | undefined;
  /** The address in `webhook_config.uris`, for which `keys` must have signed. Otherwise a report to anybody would be accepted. */
  readonly audience?: string | readonly string[] | undefined;
  /**
   * Takes the event from the body when a signature by `keys` is valid but does not contain it, so that nothing protects the body. Then
   * read only the id from it, and ask the service. @defaultValue false
   */
  readonly trustBody?: boolean | undefined;
  /** Most bytes of a body. @defaultValue 262_144 (256 KiB) */
  readonly maxBytes?: number | undefined;
}

/** A report that the service has signed. */
export interface VerifiedWebhook {
  /** Id of the report: the service may deliver it several times, with the same id. */
  readonly id: string;
  readonly event: WebhookEvent;
}

/**
 * Why a report is refused: a header is missing, its time is more than five minutes off, no secret or key fits, the signature is for another
 * address, the body is too large or not an event, or Google's keys could not be loaded.
 */
export type WebhookFault = "headers" | "time" | "signature" | "audience" | "body" | "keys";

/** A report that cannot be trusted. Answer it with 400; with 503 if `retryable`, and the service delivers it again. */
export class WebhookError extends AgentError {
  static override readonly name = "WebhookError";
  override readonly code = "webhook";
  override readonly retryable: boolean;
  readonly fault: WebhookFault;

  constructor(message: string, fault: WebhookFault, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
    this.retryable = fault === "keys";
  }
}

/** How far the time of a report may be off, either way, in seconds; as in Standard Webhooks. */
const TOLERANCE_S = 300;

/**
 * Verifies a report of the service and returns its event: by Standard Webhooks' HMAC for webhooks of the project, by
 * Google's JWT for webhooks of single requests. Returns nothing from an unverified report. Reads the body of the
 * request.
 *
 * @throws {WebhookError} For any other report.
 * @throws {TypeError} For options that trust nobody, or everybody.
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * async function POST(request: Request): Promise<Response> {
 *   const { event } = await verifyWebhook(request, { secrets: [readSecret("webhook")] });
 *   if (event.type === "interaction.completed") console.log(event.data.id);
 *   return new Response();
 * }
 * ```
 */
export async function verifyWebhook(request: Request, options: VerifyWebhookOptions): Promise<VerifiedWebhook> {
  const { secrets = [], keys, audience = [], maxBytes = 262_144 } = options;
  const audiences = typeof audience === "string" ? [audience] : [...audience];
  const webhooks = secrets.map(readSecret);
  if (webhooks.length === 0 && keys === undefined) throw new TypeError("verifyWebhook(): give secrets or keys");
  if (keys !== undefined && audiences.length === 0) throw new TypeError("verifyWebhook(): keys require an audience");
  const [id, time, signature] = ["id", "timestamp", "signature"].map((name) => request.headers.get(`webhook-${name}`));
  if (!id || !time || !signature)
    throw new WebhookError("The report lacks webhook-id, webhook-timestamp or webhook-signature.", "headers");
  checkTime(Number(/^\d+$/.test(time) ? time : Number.NaN));
  const body = await readBody(request, maxBytes);
  const headers = { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature };
  // A JWT has two dots, and base64 has none.
  const isToken = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(signature);
  if (!isToken) {
    if (!webhooks.some((webhook) => hasSigned(webhook, body, headers)))
      throw new WebhookError("The report is not signed with any of the secrets.", "signature");
    return { id, event: readEvent(parse(body)) };
  }
  if (keys === undefined)
    throw new WebhookError("The report is signed with a key of Google's: give keys.", "signature");
  const claims = await verifyToken(signature, keys, audiences);
  if (isEvent(claims)) return { id, event: readEvent(claims) };
  if (options.trustBody === true) return { id, event: readEvent(parse(body)) };
  throw new WebhookError(
    "The signature does not contain the event, so nothing protects the body: see trustBody.",
    "body",
  );
}

function readSecret(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    // Without the library's message, which could quote the secret.
    throw new TypeError('verifyWebhook(): secrets must be base64, as "whsec_…"');
  }
}

function hasSigned(webhook: Webhook, body: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    // The library parses the body once it has verified it.
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}

async function verifyToken(
  token: string,
  keys: WebhookKeys,
  audience: string[],
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      audience,
      clockTolerance: TOLERANCE_S,
    });
    // The headers are not signed: only the token itself reveals a replay.
    if (payload.iat !== undefined) checkTime(payload.iat);
    else if (payload.exp === undefined) throw new WebhookError("The signature has no time.", "time");
    return payload;
  } catch (error) {
    if (error instanceof WebhookError) throw error;
    throw new WebhookError(`The signature is not valid: ${describe(error)}.`, faultOf(error), { cause: error });
  }
}

function faultOf(error: unknown): WebhookFault {
  if (!(error instanceof errors.JOSEError)) return "keys";
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "aud") return "audience";
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) return "time";
  // ERR_JOSE_GENERIC is an answer that is not a set of keys.
  return /^ERR_(?:JWKS_TIMEOUT|JWKS_INVALID|JOSE_GENERIC)$/.test(error.code) ? "keys" : "signature";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function checkTime(seconds: number): void {
  if (Math.abs(Date.now() / 1000 - seconds) <= TOLERANCE_S) return;
  throw new WebhookError("The report is more than five minutes old, or from the future.", "time");
}

async function readBody(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let bytes = 0;
  // Every runtime's stream can be iterated.
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new WebhookError(`The report has more than ${maxBytes} bytes.`, "body");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is { readonly type: string } {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function readEvent(value: unknown): WebhookEvent {
  if (!isEvent(value)) throw new WebhookError("The report is not an event.", "body");
  const data = "data" in value && typeof value.data === "object" && value.data !== null ? value.data : {};
  return { ...value, data: { ...data } };
}
