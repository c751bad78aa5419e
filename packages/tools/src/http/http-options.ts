/** One address of a host. */
export interface LookupAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Finds the addresses of a host. Every one is checked before anything is connected. */
export type LookupFunction = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Where the tools of this subpath may go, and how far. */
export interface HttpOptions {
  /**
   * Hosts that may be reached: `example.com`, or `*.example.com` for all below it (not itself). Holds for redirects too.
   * @defaultValue every public host
   */
  readonly allow?: readonly string[] | undefined;
  /** Hosts that may not, written the same way; stronger than `allow`. @defaultValue none */
  readonly deny?: readonly string[] | undefined;
  /**
   * Whether hosts at loopback and private addresses may be reached: all of them, or these, written as in `allow`.
   * Link-local, multicast and unspecified addresses and those of cloud metadata are refused all the same. @defaultValue false
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** @defaultValue [80, 443] */
  readonly ports?: readonly number[] | "any" | undefined;
  /** Redirects that are followed. @defaultValue 5 */
  readonly maxRedirects?: number | undefined;
  /** Milliseconds for everything: redirects, connecting, the whole body. @defaultValue 20_000 */
  readonly timeoutMs?: number | undefined;
  /** Most bytes of a body, after decompression. @defaultValue 5_000_000 */
  readonly maxBytes?: number | undefined;
  /** Most characters that one call gives back. @defaultValue 20_000 */
  readonly maxCharacters?: number | undefined;
  /** @defaultValue "Mozilla/5.0 (compatible; pollux-tools)" */
  readonly userAgent?: string | undefined;
  /** @defaultValue the system's own */
  readonly lookup?: LookupFunction | undefined;
}
