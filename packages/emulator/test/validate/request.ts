import { type Profile, type StrictSwitches, validateRequest } from "../../src/validate/contract.ts";
import type { SignatureBook } from "../../src/validate/types.ts";

/** Signatures that start with `SIG` were issued here, with `moved` for another part; all others are foreign. */
export const BOOK: SignatureBook = {
  check(signature) {
    if (signature.startsWith("moved")) return "moved";
    return signature.startsWith("SIG") ? "issued" : "foreign";
  },
};

export interface Asked {
  readonly body?: unknown;
  readonly model?: string;
  readonly profile?: Profile;
  readonly strict?: StrictSwitches;
  readonly method?: string;
  /** Path and query. Default: the model's. */
  readonly path?: string;
  readonly verb?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly keys?: readonly string[];
}

/** Validates one request. Fields that a case doesn't set have valid defaults. */
export function ask(asked: Asked): ReturnType<typeof validateRequest> {
  const { body = HELLO, model: id = "gemini-3.8-flash", profile = "developer", verb = "generateContent" } = asked;
  const base = profile === "vertex" ? "/v1beta1/projects/p/locations/global/publishers/google" : "/v1beta";
  return validateRequest(
    {
      method: asked.method ?? "POST",
      url: new URL(`http://localhost${asked.path ?? `${base}/models/${id}:${verb}`}`),
      headers: new Headers(asked.headers ?? { "x-goog-api-key": "key" }),
      body: typeof body === "string" ? body : JSON.stringify(body),
    },
    { profile, strict: asked.strict, keys: asked.keys, signatures: BOOK },
  );
}

/** The result of a case: `accepted`, or rule, status and message. */
export function outcome(
  asked: Asked,
): { readonly rule: string; readonly status: number; readonly message: string } | "accepted" {
  const verdict = ask(asked);
  if (verdict.ok) return "accepted";
  const { rule, status, body } = verdict.refusal;
  return { rule, status, message: messageOf(body) };
}

export function user(...parts: readonly unknown[]): unknown {
  return { role: "user", parts };
}

export function model(...parts: readonly unknown[]): unknown {
  return { role: "model", parts };
}

export function text(value: string): unknown {
  return { text: value };
}

export function call(name: string, id?: string, thoughtSignature?: string): unknown {
  return { functionCall: { ...(id ? { id } : {}), name, args: {} }, ...(thoughtSignature ? { thoughtSignature } : {}) };
}

export function answer(name: string, id?: string): unknown {
  return { functionResponse: { ...(id ? { id } : {}), name, response: { output: 1 } } };
}

export const HELLO = { contents: [user(text("hi"))] };

function messageOf(body: string): string {
  if (body.startsWith("<")) return "(HTML)";
  const parsed: unknown = JSON.parse(body);
  const { error } = (Array.isArray(parsed) ? parsed[0] : parsed) as { error: { message: string } };
  return error.message;
}
