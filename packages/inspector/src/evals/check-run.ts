import { fieldsOf, numberOf } from "../inspection/read-values.ts";

/** Where a value is not as in a run of evals of this release, in a sentence; undefined for a run. Whatever else it has is let through. */
export function problemOfRun(value: unknown): string | undefined {
  if (Number(fieldsOf(value)["v"]) > 1) return "it was written by a newer release: update @pollux/inspector";
  for (const [kind, paths] of Object.entries(MEMBERS))
    for (const path of paths.split(" ")) {
      const place = wrongPlace(value, path.split("."), "", KINDS[kind] ?? (() => false));
      if (place !== undefined) return `${place.slice(1)} is no ${kind}`;
    }
  return undefined;
}

/** By kind: members that the page shows. `[]` has items, `{}` has members of any name, `?` may be absent. */
const MEMBERS: { readonly [kind: string]: string } = {
  text:
    "id suite version.tree version.commit? variant? models[].id models[].version? cases[].id cases[].world cases[].tags[] " +
    "cases[].cluster? cases[].trials[].status cases[].trials[].why? cases[].trials[].stopReason? cases[].trials[].answer " +
    "cases[].trials[].sessionId? cases[].trials[].scores[].name cases[].trials[].scores[].reason? verdict.outcome verdict.text " +
    "verdict.metrics[].name verdict.broken[].id verdict.flaky[] verdict.added[] verdict.missing[] notFixed[] notes[]",
  number:
    "v at ms passed.share passed.low passed.high cost.total cost.unpriced cases[].trials[].number cases[].trials[].metrics{} " +
    "cases[].trials[].scores[].threshold verdict.metrics[].now verdict.metrics[].before verdict.metrics[].difference.low " +
    "verdict.metrics[].difference.high verdict.metrics[].p recordedShare?",
  score: "cases[].trials[].scores[].score",
};

const KINDS: { readonly [kind: string]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  number: (value) => numberOf(value) !== undefined,
  score: (value) => value === null || numberOf(value) !== undefined,
};

function wrongPlace(
  value: unknown,
  [segment, ...rest]: readonly string[],
  place: string,
  isRight: (value: unknown) => boolean,
): string | undefined {
  if (segment === undefined) return isRight(value) ? undefined : place;
  const [, name = "", mark = ""] = /^(\w+)(\W*)$/.exec(segment) ?? [];
  const member = fieldsOf(value)[name];
  const at = `${place}.${name}`;
  if (mark === "?" && member === undefined) return undefined;
  if (mark !== "[]" && mark !== "{}") return wrongPlace(member, rest, at, isRight);
  if (typeof member !== "object" || member === null || Array.isArray(member) !== (mark === "[]")) return at;
  for (const [key, item] of Object.entries(member)) {
    const wrong = wrongPlace(item, rest, mark === "[]" ? `${at}[${key}]` : `${at}.${key}`, isRight);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
