import { http, type HttpHandler } from "msw";
import type { Emulator } from "./emulator.ts";

/** Which URLs the emulator answers. */
export interface HandlerOptions {
  /** Default: Google's, `https://generativelanguage.googleapis.com`. */
  readonly baseUrl?: string | readonly string[] | undefined;
}

/**
 * Handlers for `setupServer(...handlers(emulator))` of `msw/node`: requests to the base URL never leave the process.
 *
 * @see https://mswjs.io/docs/api/setup-server
 */
export function handlers(emulator: Emulator, options: HandlerOptions = {}): HttpHandler[] {
  const { baseUrl = "https://generativelanguage.googleapis.com" } = options;
  const bases = typeof baseUrl === "string" ? [baseUrl] : baseUrl;
  return bases.map((base) => http.all(`${base.replace(/\/+$/, "")}/*`, ({ request }) => emulator.fetch(request)));
}
