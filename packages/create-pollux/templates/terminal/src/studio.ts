import { createAgent } from "./agent.ts";

/** For `npm run studio`, which also answers without a key. */
export const agent = createAgent();
