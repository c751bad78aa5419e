import { isIP } from "node:net";
import { ToolError } from "@pollux/core";
import { kindOfAddress } from "./addresses.ts";
import type { HttpOptions } from "./http-options.ts";

/** Longest URL that is accepted. */
const MAX_URL = 4_000;

const DEFAULT_PORTS: readonly number[] = [80, 443];

/** Which URLs and addresses may be reached: the same rules for the first request and for every redirect. */
export class Policy {
  readonly #allow: HostRules | undefined;
  readonly #deny: HostRules;
  readonly #allowPrivate: HostRules | boolean;
  readonly #ports: readonly number[] | "any";

  /** @throws {TypeError} If an option is malformed. */
  constructor(options: HttpOptions) {
    const { allow, deny = [], allowPrivate = false, ports = DEFAULT_PORTS } = options;
    this.#allow = allow && new HostRules("allow", allow);
    this.#deny = new HostRules("deny", deny);
    this.#allowPrivate = typeof allowPrivate === "boolean" ? allowPrivate : new HostRules("allowPrivate", allowPrivate);
    this.#ports = ports;
  }

  /** Whether `allow` names this host and the connection is encrypted or private, so that it may receive secrets. */
  isTrusted(url: URL): boolean {
    const host = hostOf(url);
    return (this.#allow?.match(host) ?? false) && (url.protocol === "https:" || this.#allowsPrivate(host));
  }

  /**
   * Parses a URL and checks everything that can be checked without connecting.
   *
   * @param from - The URL that redirected there.
   * @throws {ToolError} If it may not be reached.
   */
  check(address: string, from?: URL): URL {
    const shown = shorten(address);
    const url =
      address.length <= MAX_URL && URL.canParse(address, from?.href) ? new URL(address, from?.href) : undefined;
    if (url === undefined) throw new ToolError(`${shown} is not a full URL; use one such as https://example.com/page`);
    if (url.protocol !== "https:" && url.protocol !== "http:")
      throw new ToolError(`${shown} cannot be fetched: only https: and http: URLs are supported`);
    if (url.username !== "" || url.password !== "")
      throw new ToolError(`${url.origin} is refused: a URL must not contain a user name or password`);
    if (from?.protocol === "https:" && url.protocol === "http:")
      throw new ToolError(`${shown} is refused: it is unencrypted, but the page that redirects to it is encrypted`);
    this.#checkHost(hostOf(url));
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    if (this.#ports !== "any" && !this.#ports.includes(port))
      throw new ToolError(`port ${port} is not allowed; use ${this.#ports.join(", ")}`);
    return url;
  }

  #checkHost(host: string): void {
    if (this.#deny.match(host)) throw new ToolError(`the host ${host} is not allowed; use another source`);
    if (this.#allow !== undefined && !this.#allow.match(host))
      throw new ToolError(`the host ${host} is not allowed; allowed: ${this.#allow.toString()}`);
    if (isIP(host) !== 0) this.checkAddress(host, host);
  }

  /**
   * Checks an address of a host. Called with each address before connecting, and with the connected one.
   *
   * @throws {ToolError} If it may not be reached.
   */
  checkAddress(host: string, address: string): void {
    const kind = kindOfAddress(address);
    if (kind === "public") return;
    if (kind === "private" && this.#allowsPrivate(host)) return;
    throw new ToolError(`the host ${host} is refused: it is not on the public internet; use another source`);
  }

  #allowsPrivate(host: string): boolean {
    return typeof this.#allowPrivate === "boolean" ? this.#allowPrivate : this.#allowPrivate.match(host);
  }
}

/** Host names and `*.` patterns. */
class HostRules {
  readonly #names: readonly string[];

  constructor(option: string, names: readonly string[]) {
    this.#names = names.map((name) => {
      const wildcard = name.startsWith("*.") ? "*." : "";
      const rest = name.slice(wildcard.length);
      const host = URL.canParse(`http://${rest}/`) ? new URL(`http://${rest}/`) : undefined;
      if (host === undefined || /[/@?#\\]|^[^[]*:|\]:/.test(rest))
        throw new TypeError(
          `${option}: "${name}" is not a host; write example.com, or *.example.com for all its subdomains`,
        );
      return wildcard + hostOf(host);
    });
  }

  match(host: string): boolean {
    return this.#names.some((name) => (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name));
  }

  toString(): string {
    return this.#names.slice(0, 20).join(", ");
  }
}

/** The host in the form that rules and lookups use: without IPv6 brackets and without a trailing dot. */
export function hostOf(url: URL): string {
  return url.hostname.replaceAll(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** A URL as errors show it: truncated, since it may be huge. */
export function shorten(address: string): string {
  return JSON.stringify(address.length > 200 ? `${address.slice(0, 200)}…` : address);
}
