import ipaddr from "ipaddr.js";

/** What an address is to the outside world; `never` is not reached whatever is allowed. */
export type AddressKind = "public" | "private" | "never";

/** What `allowPrivate` opens. */
const PRIVATE: ReadonlySet<string> = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

/** Addresses inside of those ranges that hand out a machine's credentials. */
const METADATA: ReadonlySet<string> = new Set(["100.100.100.200", "fd00:ec2::254", "fd20:ce::254"]);

/**
 * Tells what an address is. IPv4 inside of IPv6 counts as what it stands for when it is mapped, and is never reached when
 * it is translated or tunnelled (NAT64, 6to4, Teredo): where that leads is not for this machine to see.
 *
 * @param address - As a socket or a lookup gives it. Anything else is `never`.
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
  // Of IPv6, nothing outside of 2000::/3 is given out; ::127.0.0.1 would count as unicast.
  return parsed.kind() === "ipv4" || ((parsed.toByteArray()[0] ?? 0) & 0xe0) === 0x20 ? "public" : "never";
}
