import { nodeTransport } from "../../src/node/index.ts";
import type { FetchLike } from "../../src/wire/http/transport.ts";

/** Every way a request can leave this machine: a test that goes over a socket (or is intercepted there) holds for each. */
export const TRANSPORTS: readonly (readonly [name: string, fetch: FetchLike | undefined])[] = [
  ["fetch", (input, init) => globalThis.fetch(input, init)],
  // What a client takes by itself.
  ["the default", undefined],
  ["node transport", nodeTransport({ proxyEnv: {} })],
  // The same, called like `fetch`, as a recorder does.
  ["node transport as fetch", asFetch()],
];

function asFetch(): FetchLike {
  const fetch = nodeTransport({ proxyEnv: {} });
  return (input, init) => fetch(input, init);
}
