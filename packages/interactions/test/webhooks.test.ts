import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createEmulator, type EmulatorOptions } from "@pollux/emulator";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { verifyWebhook, type VerifyWebhookOptions, WebhookError, webhookKeys } from "../src/webhooks/index.ts";
import { localClient } from "./support/raw-server.ts";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const OLD = `whsec_${Buffer.from("the secret before, which rotates").toString("base64")}`;
const URL = "https://app.example/hook";
const EVENT = {
  type: "interaction.completed",
  version: "v1",
  timestamp: "2026-11-24T12:00:00Z",
  data: { id: "v1_abc" },
};
const BODY = JSON.stringify(EVENT);
const now = (): number => Math.floor(Date.now() / 1000);

const { publicKey, privateKey } = await generateKeyPair("RS256");
const other = await generateKeyPair("RS256");
const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "RS256" };
/** A set of keys that counts how often it was asked for. */
function keySet(answer: () => Response = () => Response.json({ keys: [jwk] })): {
  keys: ReturnType<typeof webhookKeys>;
  asked: () => number;
} {
  let asked = 0;
  const fetch = async (): Promise<Response> => {
    asked += 1;
    return answer();
  };
  return { keys: webhookKeys({ fetch }), asked: () => asked };
}

function hmac(secret: string, content: string): string {
  return createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
    .update(content)
    .digest("base64");
}

/** A report signed with a secret, and what is changed in it afterwards. */
function signed(
  changes: { body?: string; headers?: Record<string, string>; secret?: string; time?: number } = {},
): Request {
  const time = String(changes.time ?? now());
  const signature = `v1,${hmac(changes.secret ?? SECRET, `msg_1.${time}.${BODY}`)}`;
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": time,
    "webhook-signature": signature,
    ...changes.headers,
  };
  return new Request(URL, { method: "POST", body: changes.body ?? BODY, headers });
}

interface TokenChanges {
  readonly claims?: Record<string, unknown>;
  readonly audience?: string;
  readonly issuedAt?: number;
  readonly expires?: number;
  readonly key?: typeof privateKey;
  readonly kid?: string;
  readonly body?: string;
  readonly time?: number;
}

/** A report signed with a key of Google's. */
async function tokened(changes: TokenChanges = {}): Promise<Request> {
  const {
    claims = EVENT,
    audience = URL,
    issuedAt = now(),
    expires = now() + 300,
    key = privateKey,
    kid = "one",
  } = changes;
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", kid })
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(key);
  return tokenRequest(token, changes);
}

function tokenRequest(token: string, { body = BODY, time = now() }: TokenChanges = {}): Request {
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(time), "webhook-signature": token };
  return new Request(URL, { method: "POST", body, headers });
}

describe("a report that the service has signed", () => {
  test.each<[string, Request]>([
    ["with the secret", signed()],
    ["with the one before", signed({ secret: OLD })],
    ["with several signatures", signed({ headers: signatures(now(), `v1,${hmac(OLD, "other")}`, "v2,what") })],
    ["just in time", signed({ time: now() - 290 })],
  ])("%s: its event is returned", async (_, request) => {
    expect(await verifyWebhook(request, { secrets: [SECRET, OLD] })).toEqual({ id: "msg_1", event: EVENT });
  });

  test("with a key of Google's: the event is that of the token, whatever the body says", async () => {
    const { keys, asked } = keySet();
    const forged = JSON.stringify({ ...EVENT, data: { id: "v1_forged" } });
    for (const body of [BODY, forged]) {
      const { event } = await verifyWebhook(await tokened({ body }), { keys, audience: URL });
      expect(event.data.id).toBe("v1_abc");
    }
    expect(asked()).toBe(1);
  });

  test("types and fields that nobody knows are kept", async () => {
    const claims = { type: "moon.landed", data: { id: "x", crew: 3 }, more: true };
    const { event } = await verifyWebhook(await tokened({ claims }), { keys: keySet().keys, audience: [URL, "b"] });
    expect(event).toMatchObject(claims);
  });

  test("whose token does not contain the event: the body only if it is trusted", async () => {
    const { keys } = keySet();
    await expect(verifyWebhook(await tokened({ claims: {} }), { keys, audience: URL })).rejects.toMatchObject({
      fault: "body",
    });
    const trusted = await verifyWebhook(await tokened({ claims: {} }), { keys, audience: URL, trustBody: true });
    expect(trusted.event).toEqual(EVENT);
  });
});

describe("a forgery is refused", () => {
  const all: () => VerifyWebhookOptions = () => ({ secrets: [SECRET], keys: keySet().keys, audience: URL });
  const withoutTime = (): Promise<string> =>
    new SignJWT(EVENT).setProtectedHeader({ alg: "RS256", kid: "one" }).setAudience(URL).sign(privateKey);
  const byHmac = (): Promise<string> =>
    new SignJWT(EVENT)
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .setAudience(URL)
      .setIssuedAt()
      .sign(Buffer.from(jwk.n ?? ""));
  const unsigned = (): string => `${encode({ alg: "none" })}.${encode({ ...EVENT, aud: URL, iat: now() })}.AA`;

  test.each<[string, string, () => Request | Promise<Request>]>([
    ["another body", "signature", () => signed({ body: BODY.replace("v1_abc", "v1_xyz") })],
    ["one byte more", "signature", () => signed({ body: `${BODY} ` })],
    ["another id", "signature", () => signed({ headers: { "webhook-id": "msg_2" } })],
    ["another time", "signature", () => signed({ headers: { "webhook-timestamp": String(now() - 1) } })],
    ["another secret", "signature", () => signed({ secret: OLD })],
    [
      "no version",
      "signature",
      () => signed({ headers: { "webhook-signature": hmac(SECRET, `msg_1.${now()}.${BODY}`) } }),
    ],
    ["nonsense", "signature", () => signed({ headers: { "webhook-signature": "v1,=== v1, ,v1" } })],
    ["no signature", "headers", () => signed({ headers: { "webhook-signature": "" } })],
    ["no id", "headers", () => signed({ headers: { "webhook-id": "" } })],
    ["an old one", "time", () => signed({ time: now() - 310 })],
    ["one from the future", "time", () => signed({ time: now() + 310 })],
    ["a time that is none", "time", () => signed({ headers: { "webhook-timestamp": "1e9" } })],
    ["too much", "body", () => signed({ body: "x".repeat(300_000) })],
    ["a token of another key", "signature", () => tokened({ key: other.privateKey })],
    ["a token of an unknown key", "signature", () => tokened({ kid: "two" })],
    ["a token for somebody else", "audience", () => tokened({ audience: "https://evil.example" })],
    ["a token that has expired", "time", () => tokened({ expires: now() - 310 })],
    ["an old token with a new time", "time", () => tokened({ issuedAt: now() - 310, expires: now() + 9_999 })],
    ["a token without time", "time", async () => tokenRequest(await withoutTime())],
    ["a token by HMAC of the public key", "signature", async () => tokenRequest(await byHmac())],
    ["an unsigned token", "signature", () => tokenRequest(unsigned())],
    ["a token that is none", "signature", () => tokenRequest("a.b.c")],
    ["an old delivery of a good token", "time", () => tokened({ time: now() - 310 })],
  ])("%s: %s", async (_, fault, request) => {
    const error: unknown = await verifyWebhook(await request(), all()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WebhookError);
    expect(error).toMatchObject({ code: "webhook", fault, retryable: false });
    expect(String(error)).not.toContain(SECRET.slice(6));
  });

  test("a token where only secrets are trusted, and a secret's where only keys are", async () => {
    await expect(verifyWebhook(await tokened(), { secrets: [SECRET] })).rejects.toMatchObject({ fault: "signature" });
    await expect(verifyWebhook(signed(), { keys: keySet().keys, audience: URL })).rejects.toMatchObject({
      fault: "signature",
    });
  });

  test("what is signed and no event", async () => {
    for (const body of ["no JSON", "[]", "{}", "null"]) {
      const time = now();
      const headers = signatures(time, `v1,${hmac(SECRET, `msg_1.${time}.${body}`)}`);
      await expect(verifyWebhook(signed({ body, time, headers }), all())).rejects.toMatchObject({ fault: "body" });
    }
  });

  test("keys that cannot be loaded: the service is to try again", async () => {
    for (const answer of [() => new Response("", { status: 500 }), () => new Response("<html>")]) {
      const { keys } = keySet(answer);
      await expect(verifyWebhook(await tokened(), { keys, audience: URL })).rejects.toMatchObject({
        fault: "keys",
        retryable: true,
      });
    }
  });

  test("options that trust nobody, or everybody", async () => {
    await expect(verifyWebhook(signed(), {})).rejects.toThrow("give secrets or keys");
    await expect(verifyWebhook(signed(), { keys: keySet().keys })).rejects.toThrow("keys require an audience");
    await expect(verifyWebhook(signed(), { secrets: ["not base64!"] })).rejects.toThrow(
      'secrets must be base64, as "whsec_…"',
    );
    await expect(verifyWebhook(signed(), { secrets: [""] })).rejects.toThrow("secrets must be base64");
  });
});

describe("the reports of a research, from the request to the event", () => {
  /** Runs a research with a server that receives its reports; what it was told. */
  async function runReported(
    options: (url: string) => { emulator: EmulatorOptions; uris?: readonly string[] },
    act?: "cancel",
  ) {
    let arrived: (request: Request) => void = () => {};
    const report = new Promise<Request>((resolve) => (arrived = resolve));
    const server = createServer((incoming, response) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.on("end", () => {
        response.end();
        // Each of them comes once.
        arrived(new Request(URL, { method: "POST", body, headers: incoming.headers as Record<string, string> }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    // A TCP server's address is an object.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const { emulator: given, uris } = options(url);
    const emulator = createEmulator(given);
    const client = localClient(emulator);
    const { id = "" } = await client.create({
      agent: "deep-research-preview-04-2026",
      input: "Why?",
      background: true,
      store: true,
      ...(uris !== undefined && { webhook_config: { uris, user_metadata: { job: "nightly" } } }),
    });
    if (act === "cancel") await client.cancel(id);
    const fetch = async (address: string): Promise<Response> => await emulator.fetch(address);
    return { id, url, request: await report, keys: webhookKeys({ fetch }) };
  }

  test("of the project, by its secret", async () => {
    const { id, request } = await runReported((url) => ({
      emulator: { interactions: { webhook: { url, secret: SECRET } } },
    }));
    const { event } = await verifyWebhook(request, { secrets: [SECRET] });
    expect([event.type, event.data]).toEqual(["interaction.completed", { id }]);
  });

  test("of one request, by the keys of the service", async () => {
    const { id, url, request, keys } = await runReported((own) => ({ emulator: {}, uris: [own] }));
    const { event } = await verifyWebhook(request, { keys, audience: url });
    expect(event).toMatchObject({ type: "interaction.completed", data: { id }, user_metadata: { job: "nightly" } });
  });

  test("of a failure, with its code", async () => {
    const errors = [{ code: "api_error", message: "no sources" }];
    const interactions = { research: () => ({ status: "failed", errors }) as const };
    const { id, request } = await runReported((url) => ({
      emulator: { interactions: { ...interactions, webhook: { url, secret: SECRET } } },
    }));
    const { event } = await verifyWebhook(request, { secrets: [SECRET] });
    expect(event).toMatchObject({
      type: "interaction.failed",
      data: { id, error_code: "api_error", error_message: "no sources" },
    });
  });

  test("of a cancellation", async () => {
    const interactions = { research: () => ({ status: "in_progress" }) as const };
    const { id, request } = await runReported(
      (url) => ({ emulator: { interactions: { ...interactions, webhook: { url, secret: SECRET } } } }),
      "cancel",
    );
    const { event } = await verifyWebhook(request, { secrets: [SECRET] });
    expect([event.type, event.data.id]).toEqual(["interaction.cancelled", id]);
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signatures(time: number, ...more: readonly string[]): Record<string, string> {
  const own = `v1,${hmac(SECRET, `msg_1.${time}.${BODY}`)}`;
  return { "webhook-timestamp": String(time), "webhook-signature": [...more, own].join(" ") };
}
