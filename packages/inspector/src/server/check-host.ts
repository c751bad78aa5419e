import { HttpError } from "@pollux/core/serving";

/** Host names of this machine, without ports. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Refuses requests under another host name. Otherwise, a site whose name resolves to this machine (DNS rebinding) would count as the
 * same origin.
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
    "The inspector does not serve this host name. If you mounted it, add the name to its option allowedHosts.",
  );
}
