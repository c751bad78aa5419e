import type { PlatformTransport } from "./transport.ts";

/** What `#platform-transport` is on platforms that send by `fetch` and nothing else. */
export const platformTransport: PlatformTransport | undefined = undefined;
