import type { PlatformTransport } from "./transport.ts";

/** `#platform-transport` on platforms that have only `fetch`. */
export const platformTransport: PlatformTransport | undefined = undefined;
