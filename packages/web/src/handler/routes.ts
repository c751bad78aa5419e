import { HttpError } from "@pollux/core/serving";

/** The action of each method at each path below a handler's own, besides OPTIONS; `:id` is a conversation's id. */
export interface Routes<Action extends string> {
  readonly [path: string]: { readonly [method: string]: Action };
}

/** The requested action. */
export interface Route<Action extends string> {
  readonly action: Action;
  /** Of which conversation; empty where the path names none. */
  readonly chat: string;
}

/**
 * @param base - The handler's own path, without a slash at its end.
 * @returns What a request asks for; the allowed methods when it asks for those.
 * @throws {HttpError} For any other path or method.
 */
export function findRoute<Action extends string>(
  method: string,
  pathname: string,
  { base, routes }: { readonly base: string; readonly routes: Routes<Action> },
): Route<Action> | { readonly allow: string } {
  const path = pathname.replace(/\/$/, "");
  const names = path.slice(base.length).split("/");
  const [pattern, actions] = Object.entries(routes).find(([one]) => isAt(names, one.split("/"))) ?? [];
  if (pattern === undefined || actions === undefined || !path.startsWith(base))
    throw new HttpError(404, "not_found", "There is nothing here.");
  const allow = [...Object.keys(actions), "OPTIONS"].join(", ");
  if (method === "OPTIONS") return { allow };
  const action = Object.hasOwn(actions, method) ? actions[method] : undefined;
  if (action === undefined)
    throw new HttpError(405, "method_not_allowed", `Only ${allow} can be used here.`, { allow });
  return { action, chat: pattern.includes(":id") ? checkChatId(decode(names[1] ?? "")) : "" };
}

function isAt(names: readonly string[], pattern: readonly string[]): boolean {
  const isSame = pattern.every((name, index) => (name === ":id" ? names[index] !== "" : name === names[index]));
  return isSame && names.length === pattern.length;
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
export function checkChatId(id: string): string {
  if (!CHAT_ID.test(id) || id === "." || id === "..")
    throw new HttpError(
      400,
      "bad_id",
      "A conversation id must be 1 to 128 characters: letters, digits and . _ : ~ @ -",
    );
  return id;
}
