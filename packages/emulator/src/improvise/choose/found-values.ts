import type { FunctionResponse } from "@pollux/core/wire";
import { isFields } from "../../internal/json.ts";
import { nameKey } from "../fill/fill-schema.ts";
import type { Clause } from "../read/clauses.ts";
import { wordsOf } from "../read/words.ts";
import type { Parameter } from "./declared.ts";
import { statementFor } from "./statement.ts";

/** A value inside a response, and the key it has there. */
interface Leaf {
  readonly key: string;
  readonly value: unknown;
}

const MAX_LEAVES = 2_000;
const READABLE = /\.(?:md|txt|json|ts|js|html?|csv|ya?ml)$/i;

/** A value for a parameter in the responses of the functions that were called to find it. */
export function foundValue(
  { name, kind }: Parameter,
  responses: readonly FunctionResponse[],
  clause: Clause,
): string | undefined {
  const leaves: Leaf[] = [];
  for (const { response } of responses) leavesOf(response, "", leaves);
  const texts = (keys: RegExp): string[] =>
    leaves.flatMap(({ key, value }) => (typeof value === "string" && keys.test(key) ? [value] : []));
  switch (kind?.label) {
    case "SQL statement":
      return statementFor(responses, clause);
    case "file": {
      const files = texts(/^(?:path|file|filename|name|uri|files|entries|output|)$/i).filter((text) =>
        /^[^\s]{1,200}\.\w{1,6}$/.test(text),
      );
      const meant = files.find((file) => [...wordsOf(file)].some((word) => clause.said.has(word) && word.length > 2));
      return meant ?? files.find((file) => READABLE.test(file)) ?? files[0];
    }
    case "web address":
      return texts(/./).find((text) => /^https?:\/\/\S+$/.test(text));
    default: {
      const same = leaves.find(({ key }) => nameKey(key) === nameKey(name));
      const value =
        same?.value ??
        (kind?.label === "id" ? leaves.find(({ key }) => /^id$|[_a-z]id$/i.test(key))?.value : undefined);
      return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    }
  }
}

function leavesOf(value: unknown, key: string, found: Leaf[], depth = 0): void {
  if (found.length >= MAX_LEAVES || depth > 20) return;
  if (Array.isArray(value)) for (const item of value) leavesOf(item, key, found, depth + 1);
  else if (isFields(value)) for (const [name, item] of Object.entries(value)) leavesOf(item, name, found, depth + 1);
  else found.push({ key, value });
}
