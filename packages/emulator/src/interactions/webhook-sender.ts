import { createHmac, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A webhook of the whole project. */
export interface ProjectWebhook {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
}

/** The report of an interaction to webhooks. */
export interface WebhookReport {
  readonly type: string;
  readonly at: Date;
  readonly data: object;
  /** Addresses that the request names, and the metadata to send back. */
  readonly uris: readonly string[];
  readonly userMetadata?: unknown;
}

const KEY_ID = "pollux-emulator";
const ISSUER = "https://generativelanguage.googleapis.com";

/** Reports to webhooks, signed like the service's: with the project's secret, or with the sender's key for addresses of a request. */
export class WebhookSender {
  readonly #project: ProjectWebhook | undefined;
  #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;
  #count = 0;

  constructor(project: ProjectWebhook | undefined) {
    this.#project = project;
  }

  /** The public key, as a JSON Web Key Set. */
  get keySet(): object {
    const { publicKey } = this.#pair();
    return { keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID, alg: "RS256", use: "sig" }] };
  }

  /** Delivers to all addresses at once. The caller doesn't wait, and a refused delivery is not retried. */
  async send(report: WebhookReport): Promise<void> {
    this.#count += 1;
    const id = `msg_${this.#count}`;
    const seconds = Math.floor(report.at.getTime() / 1000);
    const event = { type: report.type, version: "v1", timestamp: report.at.toISOString(), data: report.data };
    const body = JSON.stringify(event);
    const post = async (url: string, signature: string): Promise<void> => {
      const headers = { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": signature };
      const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
      // An unreachable receiver doesn't affect the interaction.
      await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    };
    const project = this.#project;
    const metadata = report.userMetadata === undefined ? {} : { user_metadata: report.userMetadata };
    const claims = { iss: ISSUER, iat: seconds, exp: seconds + 300, ...event, ...metadata };
    await Promise.all([
      ...(project === undefined ? [] : [post(project.url, sign(project.secret, `${id}.${seconds}.${body}`))]),
      ...report.uris.map((url) => post(url, this.#token({ ...claims, aud: url }))),
    ]);
  }

  #pair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
    return (this.#keys ??= generateKeyPairSync("rsa", { modulusLength: 2048 }));
  }

  #token(claims: object): string {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${encode({ alg: "RS256", kid: KEY_ID, typ: "JWT" })}.${encode(claims)}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(this.#pair().privateKey, "base64url")}`;
  }
}

function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}
