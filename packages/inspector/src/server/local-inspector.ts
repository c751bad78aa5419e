import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { PRIVATE } from "./http.ts";
import { inspectorHandler, type InspectorOptions, type InspectorParts } from "./inspector-handler.ts";

/** The inspector of one person, on their own machine. */
export interface LocalInspector {
  /** Path of the page. Its token is the only secret. */
  readonly path: string;
  readonly handler: (request: Request) => Promise<Response>;
  /** Releases the runs that actions started to other processes; see `Session.release`. */
  readonly release: () => Promise<void>;
}

/**
 * The inspector under a random path, for a server on the loopback interface: anyone with the whole address can see the sessions. Each
 * request of the page has the token in its path; unlike a cookie, it goes to no other server of this machine.
 */
export function localInspector(
  options: Omit<InspectorOptions, "authorize" | "path" | "allowedHosts">,
  parts: InspectorParts = {},
): LocalInspector {
  const token = randomBytes(24).toString("base64url");
  const { going = new Set() } = parts;
  const handler = inspectorHandler({ ...options, path: `/${token}`, authorize: () => true }, { ...parts, going });
  return {
    path: `/${token}/`,
    handler: async (request) => {
      const given = new URL(request.url).pathname.split("/", 2)[1] ?? "";
      return isSame(given, token) ? await handler(request) : refusal();
    },
    release: async () => {
      await Promise.all([...going].map((session) => session.release()));
    },
  };
}

/** Compares in constant time. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

function refusal(): Response {
  const text = "Open the address that the inspector printed: this one has no token, or that of another start.\n";
  return new Response(text, { status: 401, headers: { ...PRIVATE, "content-type": "text/plain; charset=utf-8" } });
}
