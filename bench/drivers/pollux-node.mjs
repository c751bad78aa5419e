// The same agent over the transport of "@pollux/core/node".
import { run as runAgent } from "./pollux.mjs";

const { nodeTransport } = await import("@pollux/core/node");

/** Why the driver cannot take part, if it cannot. */
export const unavailable =
  nodeTransport === undefined ? "this build of @pollux/core/node has no nodeTransport" : undefined;

const fetch = nodeTransport?.();

export async function run(work) {
  return await runAgent({ ...work, fetch });
}
