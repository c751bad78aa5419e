import type { Reach, ReachContext } from "@pollux/core";

/** One address of a host. */
export interface LookupAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves a host name. Every address is checked before the tool connects. */
export type LookupFunction = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Network options that the tools of this subpath share. */
export interface HttpOptions {
  /**
   * Hosts that may be reached: `example.com`, or `*.example.com` for every host below it (not itself). Applies to redirects too.
   * @defaultValue every public host
   */
  readonly allow?: readonly string[] | undefined;
  /** Hosts that may not be reached, in the same form; takes precedence over `allow`. @defaultValue none */
  readonly deny?: readonly string[] | undefined;
  /**
   * Whether hosts at loopback and private addresses may be reached: all of them, or these, in the same form as `allow`.
   * Link-local, multicast, unspecified and cloud metadata addresses are always refused. @defaultValue false
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** @defaultValue [80, 443] */
  readonly ports?: readonly number[] | "any" | undefined;
  /** Most redirects that are followed. @defaultValue 5 */
  readonly maxRedirects?: number | undefined;
  /** Milliseconds for everything: redirects, connecting, the whole body. @defaultValue 20_000 */
  readonly timeoutMs?: number | undefined;
  /** Most bytes of a body, after decompression. @defaultValue 5_000_000 */
  readonly maxBytes?: number | undefined;
  /** Most characters returned by one call. @defaultValue 20_000 */
  readonly maxCharacters?: number | undefined;
  /** @defaultValue "Mozilla/5.0 (compatible; pollux-tools)" */
  readonly userAgent?: string | undefined;
  /** @defaultValue the system's own */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * How far a read-only request reaches: its URL may carry information to a host, unless the author has named the hosts, or the run has
 * already read the whole URL.
 *
 * @param url - Undefined if the request sends more than the URL.
 */
export function lookupReach({ allow }: HttpOptions, url: string | undefined, run: ReachContext): Reach {
  return allow !== undefined || (url !== undefined && run.seen(url)) ? "inside" : "lookup";
}
