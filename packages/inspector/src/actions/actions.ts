import { forkAction, tryForkAction } from "../fork/fork-session.ts";
import type { ActionHandler, ActionHandlers } from "../server/handlers.ts";
import { HttpError } from "../server/http.ts";
import { isLibraryError } from "../server/library-error.ts";
import { answerAction, resumeAction, sendAction, steerAction, stopAction } from "./act-on-session.ts";

/** All that the page can do with a session, by the last segment of its path. */
export const ACTIONS: ActionHandlers = {
  answer: refusing(answerAction),
  fork: refusing(forkAction),
  resume: refusing(resumeAction),
  send: refusing(sendAction),
  steer: refusing(steerAction),
  stop: refusing(stopAction),
};

/** Those that change nothing anywhere, and so need no permission. */
export const HARMLESS_ACTIONS: ActionHandlers = {
  "try-fork": refusing(tryForkAction),
};

/** What the library refuses is refused in its words; it is no fault of the server. */
function refusing(action: ActionHandler): ActionHandler {
  return async (call, body) => {
    try {
      return await action(call, body);
    } catch (error) {
      if (isLibraryError(error)) throw new HttpError(409, error.code, error.message);
      if (error instanceof TypeError) throw new HttpError(400, "invalid", error.message);
      throw error;
    }
  };
}
