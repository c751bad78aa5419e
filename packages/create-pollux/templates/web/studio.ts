import { createAgent } from "./server/agent.ts";

/** For `npm run studio`, which also answers without a key. */
export const agent = createAgent();
