import { createHash } from "node:crypto";
import type { Problem } from "./problem.ts";
import type { Profile, RequestInput } from "./types.ts";

const OAUTH_HINT = "See https://developers.google.com/identity/sign-in/web/devconsole-project.";

/** Checks the credentials; undefined if they are valid. Keys never appear in the answer. */
export function checkCredentials(
  input: Pick<RequestInput, "url" | "headers">,
  profile: Profile,
  keys: readonly string[] | undefined,
): Problem | undefined {
  const key = input.headers.get("x-goog-api-key") || input.url.searchParams.get("key") || undefined;
  const token = bearerToken(input.headers.get("authorization"));
  // Gateways of this family accept the key in the header with or without the `Bearer` prefix.
  if (profile === "comet") return gatewayProblem(key ?? token ?? input.headers.get("authorization")?.trim(), keys);
  if (profile === "old-proxy") return keyProblem(key ?? token, profile, keys);
  if (key !== undefined || token === undefined) return keyProblem(key, profile, keys);
  return tokenProblem(token, profile, keys);
}

/** Identifies the caller by a hash of its credential. */
export function callerOf({ url, headers }: Pick<RequestInput, "url" | "headers">): string {
  const key = headers.get("x-goog-api-key") || url.searchParams.get("key");
  return createHash("sha256")
    .update(key || (bearerToken(headers.get("authorization")) ?? ""))
    .digest("base64");
}

function bearerToken(header: string | null): string | undefined {
  const token = /^Bearer\s+(\S.*)$/i.exec(header ?? "")?.[1]?.trim();
  return token || undefined;
}

function accepted(key: string, keys: readonly string[] | undefined): boolean {
  return keys ? keys.includes(key) : !/^(?:bad|invalid|expired|leaked)/i.test(key);
}

function keyProblem(
  key: string | undefined,
  profile: Profile,
  keys: readonly string[] | undefined,
): Problem | undefined {
  if (key === undefined) return profile === "vertex" ? missingToken() : unregisteredCaller();
  if (accepted(key, keys)) return undefined;
  if (/^leaked/i.test(key)) {
    return {
      rule: "A-3",
      message: "Your API key was reported as leaked. Please use another API key.",
      status: "PERMISSION_DENIED",
    };
  }
  const expired = /^expired/i.test(key);
  const message = expired
    ? "API key expired. Please renew the API key."
    : "API key not valid. Please pass a valid API key.";
  const service = profile === "vertex" ? "aiplatform.googleapis.com" : "generativelanguage.googleapis.com";
  return {
    rule: "A-2",
    message,
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "API_KEY_INVALID",
        domain: "googleapis.com",
        metadata: { service },
      },
      { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en-US", message },
    ],
  };
}

function unregisteredCaller(): Problem {
  const message =
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
  return { rule: "A-1", message, status: "PERMISSION_DENIED" };
}

function missingToken(): Problem {
  const message = `Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. ${OAUTH_HINT}`;
  return {
    rule: "A-1",
    message,
    status: "UNAUTHENTICATED",
    details: [errorInfo("CREDENTIALS_MISSING", "aiplatform.googleapis.com")],
  };
}

/**
 * Checks OAuth tokens. The Developer API rejects an API key sent as one; a token is recognized by its `ya29.` prefix.
 */
function tokenProblem(token: string, profile: Profile, keys: readonly string[] | undefined): Problem | undefined {
  const vertex = profile === "vertex";
  if (vertex ? accepted(token, keys) : token.startsWith("ya29.")) return undefined;
  const message = `Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. ${OAUTH_HINT}`;
  const service = vertex ? "aiplatform.googleapis.com" : "generativelanguage.googleapis.com";
  return {
    rule: "A-4",
    message,
    status: "UNAUTHENTICATED",
    details: [errorInfo("ACCESS_TOKEN_TYPE_UNSUPPORTED", service)],
  };
}

function errorInfo(reason: string, service: string): Readonly<Record<string, unknown>> {
  return {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason,
    domain: "googleapis.com",
    metadata: { service },
  };
}

function gatewayProblem(key: string | undefined, keys: readonly string[] | undefined): Problem | undefined {
  if (key && accepted(key, keys)) return undefined;
  const message = !key ? "No token provided" : "Invalid token";
  return { rule: "A-5", message, status: "UNAUTHENTICATED", gateway: { code: "", type: "new_api_error" } };
}
