import { isObject } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { Approval, PendingCall } from "./tool.ts";

/**
 * Approves a call that waits, or all of these: the `approvals` of `session.resume()`, `send()` and `answer()`. Those that wait for something
 * else than an approval are left out. Spread several into one object to decide differently about each.
 *
 * @param args - Arguments to run a single call with instead; they must match the tool's schema.
 * @throws {TypeError} When none of them waits for an approval.
 * @example await session.resume({ approvals: approve(result.pending) })
 */
export function approve(calls: PendingCall | readonly PendingCall[], args?: JsonObject): Approvals {
  if (args !== undefined && (Array.isArray(calls) || !isObject(args)))
    throw new TypeError("approve(): arguments are for one call, as an object: approve(call, { amount: 5 })");
  return decide("approve", calls, args === undefined ? true : { args });
}

/**
 * Denies a call that waits, or all of these; as {@link approve}.
 *
 * @param reason - What the model reads about it. @defaultValue only that the user denied the call
 * @example await session.resume({ approvals: deny(result.pending, "Too expensive.") })
 */
export function deny(calls: PendingCall | readonly PendingCall[], reason?: string): Approvals {
  return decide("deny", calls, reason === undefined ? false : { deny: reason });
}

/** Decisions by the tokens of what they are about. */
export interface Approvals {
  readonly [token: string]: Approval;
}

function decide(by: string, calls: PendingCall | readonly PendingCall[], approval: Approval): Approvals {
  const asked = [calls].flat().filter(({ question }) => question === "approval");
  if (asked.length === 0)
    throw new TypeError(`${by}(): none of these calls waits for an approval; pass those of a result's pending`);
  return Object.fromEntries(asked.map(({ token }) => [token, approval]));
}
