import { HttpError } from "./http-error.ts";

/** What is asked for, and of which conversation. */
export type Route =
  | { readonly action: "send" }
  | { readonly action: "list" }
  | {
      readonly action: "messages" | "rename" | "delete" | "follow" | "stop" | "continue" | "withdraw";
      readonly chat: string;
    };

/** The methods of each kind of path, besides OPTIONS. HEAD is what GET is without a body, where asking changes nothing. */
const METHODS = {
  all: { GET: "list", HEAD: "list", POST: "send" },
  one: { GET: "messages", HEAD: "messages", PATCH: "rename", DELETE: "delete" },
  stream: { GET: "follow" },
  stop: { POST: "stop" },
  continue: { POST: "continue" },
  withdraw: { POST: "withdraw" },
} as const satisfies { readonly [kind: string]: { readonly [method: string]: Route["action"] } };

/** @returns What a request asks for; the allowed methods when it asks for those. @throws {HttpError} For any other path or method. */
export function findRoute(method: string, pathname: string, base: string): Route | { readonly allow: string } {
  const place = findPlace(pathname, base);
  if (place === undefined) throw new HttpError(404, "not_found", "There is nothing here.");
  const found = findAction<Route["action"]>(method, METHODS[place.kind]);
  if ("allow" in found) return found;
  const { action } = found;
  if (action === "list" || action === "send") return { action };
  return { action, chat: checkChatId(place.chat) };
}

/** @returns What a method does at a place; the allowed ones when it asks for those. @throws {HttpError} For any other. */
export function findAction<Action>(
  method: string,
  actions: { readonly [method: string]: Action },
): { readonly action: Action } | { readonly allow: string } {
  const allow = [...Object.keys(actions), "OPTIONS"].join(", ");
  if (method === "OPTIONS") return { allow };
  const [, action] = Object.entries(actions).find(([name]) => name === method) ?? [];
  if (action === undefined)
    throw new HttpError(405, "method_not_allowed", `Only ${allow} can be used here.`, { allow });
  return { action };
}

function findPlace(
  pathname: string,
  base: string,
): { readonly kind: keyof typeof METHODS; readonly chat?: string | undefined } | undefined {
  const path = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
  if (path === base) return { kind: "all" };
  if (!path.startsWith(`${base}/`)) return undefined;
  const [chat = "", last, ...more] = path.slice(base.length + 1).split("/");
  if (chat === "" || more.length > 0) return undefined;
  if (last === undefined) return { kind: "one", chat: decode(chat) };
  return isKind(last) ? { kind: last, chat: decode(chat) } : undefined;
}

/** Of the paths below a conversation's. */
function isKind(last: string): last is "stream" | "stop" | "continue" | "withdraw" {
  return ["stream", "stop", "continue", "withdraw"].includes(last);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

const CHAT_ID = /^[\w.:~@-]{1,128}$/;

/** @throws {HttpError} For an id that no conversation can have. */
export function checkChatId(id: string | undefined): string {
  if (id === undefined || !CHAT_ID.test(id) || id === "." || id === "..")
    throw new HttpError(
      400,
      "bad_id",
      "A conversation id must be 1 to 128 characters: letters, digits and . _ : ~ @ -",
    );
  return id;
}
