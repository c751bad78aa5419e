import { createEmulator, type Profile, say } from "@pollux/emulator";
import { fieldsOf, listOf, numberOf, parseJson, textOf, requestAddress } from "../inspection/read-values.ts";
import type { Refusal } from "../inspection/results.ts";

/** A request to judge. */
export interface JudgedRequest {
  readonly method: string;
  /** With or without a host, which identifies the kind of service. */
  readonly url: string;
  readonly body: string;
}

/**
 * Why the service would refuse a request, by the emulator's rules; undefined when it would take it. Nothing leaves the process.
 */
export async function findRefusal({ method, url, body }: JudgedRequest): Promise<Refusal | undefined> {
  const address = requestAddress(url);
  let rule: string | undefined;
  const emulator = createEmulator({
    profile: profileOf(address),
    // Recorded contents have signatures of the service.
    brain: { anySignature: true, answer: () => say("ok") },
    strict: { extraModels: "gemini" },
    onAnswered: ({ answered }) => {
      rule = answered.rule;
    },
  });
  const response = await emulator.fetch(address, {
    method,
    headers: { "content-type": "application/json", "x-goog-api-key": "key", authorization: "Bearer token" },
    ...(method !== "GET" && method !== "HEAD" && { body }),
  });
  const text = await response.text();
  if (response.ok) return undefined;
  return { status: response.status, ...describeError(text, response.status), rule };
}

/** The kind of service behind an address. */
function profileOf({ hostname, pathname }: URL): Profile {
  if (hostname.endsWith("aiplatform.googleapis.com") || pathname.includes("/publishers/")) return "vertex";
  if (hostname.endsWith("cometapi.com")) return "comet";
  return pathname.startsWith("/v1/") ? "developer-v1" : "developer";
}

function describeError(text: string, status: number): Pick<Refusal, "message" | "fields"> {
  const body = parseJson(text.replace(/^data: /, ""));
  const error = fieldsOf(fieldsOf(Array.isArray(body) ? listOf(body)[0] : body)["error"]);
  const fields = listOf(error["details"])
    .flatMap((detail) => listOf(fieldsOf(detail)["fieldViolations"]))
    .map(fieldsOf)
    .map(({ field, description }) => ({ field: textOf(field) || undefined, description: textOf(description) ?? "" }));
  const message = textOf(error["message"]) ?? `The service answers with status ${numberOf(error["code"]) ?? status}.`;
  return { message, fields };
}
