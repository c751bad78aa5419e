import ipaddr from "ipaddr.js";

/** Kind of network address; `never` is refused under every policy. */
export type AddressKind = "public" | "private" | "never";

/** What `allowPrivate` permits. */
const PRIVATE: ReadonlySet<string> = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

/** Addresses inside these ranges that serve a machine's credentials. */
const METADATA: ReadonlySet<string> = new Set(["100.100.100.200", "fd00:ec2::254", "fd20:ce::254"]);

/**
 * The kind of an address. IPv4 mapped into IPv6 counts as that IPv4 address; translated or tunneled IPv4 (NAT64, 6to4, Teredo)
 * is always refused, because this machine can't see where it leads.
 *
 * @param address - An address from a socket or a lookup. Anything else is `never`.
 */
export function kindOfAddress(address: string): AddressKind {
  let parsed: ipaddr.IPv4 | ipaddr.IPv6;
  try {
    parsed = ipaddr.process(address);
  } catch {
    return "never";
  }
  if (METADATA.has(parsed.toString())) return "never";
  const range = parsed.range();
  if (PRIVATE.has(range)) return "private";
  if (range !== "unicast") return "never";
  // No IPv6 address outside 2000::/3 is assigned; ::127.0.0.1 would count as unicast.
  return parsed.kind() === "ipv4" || ((parsed.toByteArray()[0] ?? 0) & 0xe0) === 0x20 ? "public" : "never";
}
