import { HttpError } from "@pollux/core/serving";

/** Names under which a server on this machine is reached, whatever its port. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Refuses requests under a name that is not this server's: a page of another site whose name was made to point here would
 * otherwise be of the same origin.
 *
 * @throws {HttpError}
 */
export function checkHost(request: Request, allowed: readonly string[]): void {
  const host = (request.headers.get("host") ?? new URL(request.url).host).toLowerCase();
  const name = host.replace(/:\d+$/, "");
  if (LOOPBACK.has(name) || allowed.includes(name) || allowed.includes(host)) return;
  throw new HttpError(
    403,
    "wrong_host",
    "This server is not known under that name. Where the inspector is mounted, add the name to its option allowedHosts.",
  );
}
