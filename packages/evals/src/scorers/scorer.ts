import type { Score, Scorer, Trial } from "../trials/trial.ts";
import { isSchema } from "./match-args.ts";

/** True, or a sentence that says why not; or a score from 0 to 1, or null when undecidable, with its reason. */
export type Finding = true | string | { readonly score: number | null; readonly reason?: string | undefined };

/** A scorer with a name, and a key made of its name and arguments. */
export interface NamedScorer extends Scorer {
  (trial: Trial): Promise<Score>;
  readonly scorerName: string;
  readonly key: string;
}

/** @param args - Arguments of the scorer: a different value makes a different scorer. */
export function makeScorer(
  name: string,
  args: readonly unknown[],
  check: (trial: Trial) => Finding | Promise<Finding>,
  { threshold }: { readonly threshold?: number | undefined } = {},
): NamedScorer {
  const scorer = async (trial: Trial): Promise<Score> => {
    const found = await check(trial);
    if (found === true) return { name, score: 1 };
    const { score, reason } = typeof found === "string" ? { score: 0, reason: found } : found;
    return { name, score, ...(reason !== undefined && { metadata: { reason } }) };
  };
  const key = `${name}(${args.map(sourceOf).join(",")})`;
  return Object.assign(scorer, { scorerName: name, key, ...(threshold !== undefined && { threshold }) });
}

/** JSON of a value; with the source of functions and expressions, and the JSON Schema of schemas that know theirs. */
export function sourceOf(value: unknown): string {
  return (
    JSON.stringify(value, (_name, member: unknown) => {
      if (isSchema(member)) return describeSchema(member);
      if (typeof member === "function") return normalizeCode(String(member));
      return member instanceof RegExp ? String(member) : member;
    }) ?? ""
  );
}

/** A test runner lays out the same code differently, and renames its imports. */
function normalizeCode(code: string): string {
  const imported = /\(0,\s*__v\w+_import_\d+__\.([\w$]+)\)|__v\w+_import_\d+__\./g;
  return code.replaceAll(imported, "$1").replaceAll(/[\s;,'"`()]/g, "");
}

/** Standard JSON Schema's, if the library has it. */
interface DescribesItself {
  readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => unknown } | undefined;
}

function describeSchema({ "~standard": standard }: { readonly "~standard": { readonly vendor: string } }): unknown {
  try {
    // A library without it has no such member.
    return (standard as DescribesItself).jsonSchema?.input({ target: "draft-2020-12" }) ?? standard.vendor;
  } catch {
    // For a type that JSON Schema cannot express.
    return standard.vendor;
  }
}

/** The beginning of a text, for a reason. */
export function shorten(text: string, length = 200): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
