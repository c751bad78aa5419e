import { placeOf, shown } from "../loop/calls/find-reason.ts";
import type { UntrustedReason } from "../tool/reads.ts";
import type { FunctionCall } from "../wire/types/content.ts";

/**
 * Explains in one sentence, for the person who decides, why a call needs approval, or was denied, because of what the model has read.
 * Plain text of at most 700 characters. Its names and places come from the reason and the call: show it as text, not as Markdown or HTML.
 *
 * @param call - The call in question.
 * @example
 * ```ts
 * import { explainUntrusted } from "@pollux/core/conversation";
 *
 * const because = { reach: "outside", rule: "ask", untrusted: ["web_fetch example.com"] } as const;
 * console.log(explainUntrusted(because, { name: "send_mail", args: { to: "ann@shop.example" } }));
 * // It would reach outside (send_mail to ann@shop.example) after the agent read untrusted content from web_fetch example.com.
 * ```
 */
export function explainUntrusted(
  { reach, rule, untrusted, private: secret = [], found = [] }: UntrustedReason,
  call: Pick<FunctionCall, "name" | "args">,
): string {
  const start = rule === "deny" ? "It was denied because it would" : "It would";
  const reaches = reach === "outside" ? "reach outside" : "show a stranger what it asks for";
  // A source is a tool, no matter where it was called.
  const areSame =
    untrusted.length === secret.length &&
    untrusted.every((one, index) => one === secret[index] || one.startsWith(`${secret[index]} `));
  const known = secret.length === 0 ? "" : `private data ${areSame ? "" : `from ${joinNames(secret)} `}and `;
  const copied =
    found.length === 0 ? "" : `, which has its ${joinNames(found.map((path) => `"${path}"`))} word for word`;
  return `${start} ${reaches} (${nameCall(call)}) after the agent read ${known}untrusted content from ${joinNames(untrusted)}${copied}.`;
}

/** A call with its recipient or its subject. */
function nameCall({ name, args = {} }: Pick<FunctionCall, "name" | "args">): string {
  const to: unknown = [args["to"]].flat()[0];
  const where = typeof to === "string" ? `to ${to}` : placeOf({ args });
  return shown(where === undefined ? name : `${name} ${where}`, MAX_NAME);
}

/** The first two names, shortened, and the number of the others. */
function joinNames(names: readonly string[]): string {
  const first = names.slice(0, 2).map((name) => shown(name, MAX_NAME));
  const rest = names.length - first.length;
  return rest > 0 ? `${first.join(", ")} and ${rest} more` : first.join(" and ");
}

const MAX_NAME = 60;
