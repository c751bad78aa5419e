import { nodeTransport } from "../../src/node/index.ts";
import type { FetchLike } from "../../src/wire/http/transport.ts";

/** Every way a request can leave this machine: a test over a socket (or intercepted there) must pass for each. */
export const TRANSPORTS: readonly (readonly [name: string, fetch: FetchLike | undefined])[] = [
  ["fetch", (input, init) => globalThis.fetch(input, init)],
  // The client's own choice.
  ["the default", undefined],
  ["node transport", nodeTransport({ proxyEnv: {} })],
  // The same, called like `fetch`, as recorders call it.
  ["node transport as fetch", asFetch()],
];

function asFetch(): FetchLike {
  const fetch = nodeTransport({ proxyEnv: {} });
  return (input, init) => fetch(input, init);
}
