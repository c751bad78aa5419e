import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction as SocketLookup } from "node:net";
import type * as UndiciModule from "undici";
import type { Agent, buildConnector } from "undici";
import type { LookupFunction } from "./http-options.ts";
import type { Policy } from "./policy.ts";

/** The parts of undici that are used; it is loaded on first use. */
export type Undici = Pick<typeof UndiciModule, "Agent" | "buildConnector" | "request">;

/** Limits on a connection. */
export interface ConnectionLimits {
  readonly timeoutMs: number;
}

/** Largest response head, in bytes. */
const MAX_HEADER_BYTES = 32_768;

/**
 * Connections that lead only where the policy allows: every address of a host is checked when it is resolved, only those
 * addresses are used, and the remote address is checked again before a byte is sent.
 */
export function openConnections(
  undici: Undici,
  policy: Policy,
  { timeoutMs }: ConnectionLimits,
  lookup: LookupFunction = systemAddresses,
): Agent {
  const connect = (host: string): buildConnector.connector =>
    undici.buildConnector({ lookup: checkedLookup(host, policy, lookup), timeout: timeoutMs, allowH2: false });
  return new undici.Agent({
    connect: (options, callback) => {
      const host = options.hostname.replaceAll(/^\[|\]$/g, "").replace(/\.$/, "");
      try {
        // A host that is an IP address is not looked up.
        if (isIP(host) !== 0) policy.checkAddress(host, host);
      } catch (error) {
        callback(asError(error), null);
        return;
      }
      connect(host)(options, (error, socket) => {
        if (error !== null) {
          callback(error, null);
          return;
        }
        try {
          policy.checkAddress(host, socket.remoteAddress ?? "");
          callback(null, socket);
        } catch (refusal) {
          socket.destroy();
          callback(asError(refusal), null);
        }
      });
    },
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    pipelining: 0,
  });
}

async function systemAddresses(hostname: string): ReturnType<LookupFunction> {
  const found = await systemLookup(hostname, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

/** A lookup for sockets that fails if any of the addresses is refused. */
function checkedLookup(host: string, policy: Policy, lookup: LookupFunction): SocketLookup {
  return (hostname, options, callback) => {
    const find = async (): Promise<{ address: string; family: number }[]> => {
      const found = await lookup(hostname);
      const wanted = options.family === 4 || options.family === 6 ? options.family : undefined;
      const addresses = found.filter(({ family }) => wanted === undefined || family === wanted);
      if (addresses.length === 0) throw Object.assign(new Error("no address"), { code: "ENOTFOUND" });
      for (const { address } of found) policy.checkAddress(host, address);
      return addresses.map(({ address, family }) => ({ address, family }));
    };
    find().then(
      (addresses) =>
        options.all === true
          ? callback(null, addresses)
          : callback(null, addresses[0]?.address ?? "", addresses[0]?.family),
      (error: unknown) => callback(asError(error), []),
    );
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
