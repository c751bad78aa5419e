import { ConfigurationError } from "../errors/configuration-error.ts";

/** A checked base URL without a trailing slash. Credentials and queries are refused, since they would show up in errors and logs. */
export function checkBaseUrl(baseUrl: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch (error) {
    throw new ConfigurationError("The base URL is not a URL; write it like https://host or http://127.0.0.1:8787.", {
      cause: error,
    });
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ConfigurationError(`The base URL has the protocol ${url.protocol}; use https: or http:.`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ConfigurationError(
      `The base URL of ${url.host} carries credentials, a query or a fragment; pass the key as apiKey instead.`,
    );
  }
  return baseUrl.trim().replace(/\/+$/, "");
}

/** True where a key issued by Google belongs: Google's API hosts over https. */
export function isGoogleHost(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" && (hostname === "googleapis.com" || hostname.endsWith(".googleapis.com"));
}

/** True where a CometAPI key belongs. */
export function isCometHost(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" && (hostname === "cometapi.com" || hostname.endsWith(".cometapi.com"));
}

/** True for this machine, where an emulator may run without a key. */
export function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}
