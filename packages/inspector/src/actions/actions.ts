import type { ActionHandlers } from "../server/handlers.ts";

/** All that the page can do with a session, by the last segment of its path. */
export const ACTIONS: ActionHandlers = {};
