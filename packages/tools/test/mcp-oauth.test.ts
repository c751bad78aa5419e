import { createHash, randomUUID } from "node:crypto";
import type {
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { finishMcpAuth, mcpTools } from "../src/mcp.ts";
import { use } from "./mcp/support.ts";
import { wholeServer } from "./mcp/whole-server.ts";

/** What an application keeps of a person's sign-in, in its own database. */
interface Kept {
  client?: StoredOAuthClientInformation | undefined;
  tokens?: StoredOAuthTokens | undefined;
  verifier?: string | undefined;
  page?: URL | undefined;
  discovered?: OAuthDiscoveryState | undefined;
}

function providerOver(kept: Kept): OAuthClientProvider {
  return {
    redirectUrl: "http://127.0.0.1/callback",
    clientMetadata: { redirect_uris: ["http://127.0.0.1/callback"], client_name: "tests" },
    state: () => "state-1",
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (page) => void (kept.page = page),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    saveDiscoveryState: (state) => void (kept.discovered = state),
    discoveryState: () => kept.discovered,
    codeVerifier: () => kept.verifier ?? "",
  };
}

/** An authorization server and the server that trusts it, behind one address. */
function signIn(log: string[]): (request: Request) => Promise<Response | undefined> {
  const challenges = new Map<string, string>();
  const valid = new Set<string>();
  const issue = (): Response => {
    const access_token = `access-${randomUUID()}`;
    valid.clear();
    valid.add(access_token);
    return Response.json({ access_token, token_type: "Bearer", refresh_token: "refresh-1", expires_in: 3_600 });
  };
  return async (request) => {
    const { origin, pathname, searchParams } = new URL(request.url);
    if (pathname === "/expire") valid.clear();
    if (pathname.startsWith("/.well-known/oauth-protected-resource"))
      return Response.json({ resource: `${origin}/mcp`, authorization_servers: [origin] });
    if (pathname.startsWith("/.well-known/"))
      return Response.json({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
      });
    if (pathname === "/register")
      return Response.json({ ...((await request.json()) as object), client_id: "client-1" }, { status: 201 });
    if (pathname === "/authorize") {
      challenges.set("code-1", searchParams.get("code_challenge") ?? "");
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.search = new URLSearchParams({ code: "code-1", state: searchParams.get("state") ?? "" }).toString();
      return new Response(null, { status: 302, headers: { location: back.href } });
    }
    if (pathname === "/token") {
      const form = new URLSearchParams(await request.text());
      const grant = form.get("grant_type") ?? "";
      log.push(grant);
      if (grant === "refresh_token") return issue();
      const verifier = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      const isRight = challenges.get(form.get("code") ?? "") === verifier;
      return isRight ? issue() : Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    if (pathname !== "/mcp") return new Response(null, { status: 204 });
    if (valid.has(request.headers.get("authorization")?.slice("Bearer ".length) ?? "")) return undefined;
    const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
    return new Response(null, {
      status: 401,
      headers: { "www-authenticate": `Bearer resource_metadata="${metadata}"` },
    });
  };
}

test("a person signs in on a page, another process finishes it, and the application keeps the tokens", async () => {
  const grants: string[] = [];
  await using remote = await wholeServer({ answer: signIn(grants) });
  const kept: Kept = {};

  const error: unknown = await mcpTools({ url: remote.url, auth: providerOver(kept) }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({
    name: "McpServerError",
    reason: "unauthorized",
    message: expect.stringMatching(/call `finishMcpAuth\(\)` and connect again$/),
  });
  expect(kept.tokens).toBeUndefined();

  const back = await fetch(kept.page ?? "", { redirect: "manual" });
  const callback = new URL(back.headers.get("location") ?? "").searchParams;
  expect(callback.get("state")).toBe("state-1");
  await finishMcpAuth({ url: remote.url, auth: providerOver(kept) }, callback);
  expect(kept.tokens).toMatchObject({ refresh_token: "refresh-1" });

  await using server = await mcpTools({ url: remote.url, auth: providerOver(kept) });
  expect(await use(server.tools, "pay")).toEqual({ ok: true, output: "paid" });

  const before = kept.tokens?.access_token;
  await fetch(new URL("/expire", remote.url));
  expect(await use(server.tools, "pay")).toEqual({ ok: true, output: "paid" });
  expect(kept.tokens?.access_token).not.toBe(before);
  expect(grants).toEqual(["authorization_code", "refresh_token"]);
});
