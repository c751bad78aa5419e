import type { FunctionCall, JsonObject } from "@pollux/core/wire";
import { type Fields, isFields } from "../internal/json.ts";

/**
 * How arguments violate their schema: a required property is missing, a value has another type, there is an extra key, numbers are
 * strings, `args` is missing or `{}`, or a text is 200,000 characters long.
 */
export type BrokenArgs =
  | "missing-required"
  | "wrong-type"
  | "extra-key"
  | "number-as-string"
  | "absent"
  | "empty"
  | "huge-string";

const HUGE = 200_000;

/** The call with arguments that violate the function's schema; unchanged if there is nothing to break, such as no number to turn into text. */
export function breakArgs(call: FunctionCall, schema: Fields, how: BrokenArgs): FunctionCall {
  const { args = {}, ...bare } = call;
  if (how === "absent") return bare;
  return { ...bare, args: brokenArgs(args, schema, how) };
}

function brokenArgs(args: JsonObject, schema: Fields, how: Exclude<BrokenArgs, "absent">): JsonObject {
  switch (how) {
    case "empty":
      return {};
    case "extra-key":
      return { ...args, unexpected: "extra" };
    case "number-as-string":
      return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, textForNumbers(value)]));
    case "missing-required": {
      const key = firstKey(args, schema);
      return Object.fromEntries(Object.entries(args).filter(([name]) => name !== key));
    }
    case "wrong-type": {
      const key = firstKey(args, schema);
      return key === undefined ? args : { ...args, [key]: otherType(args[key]) };
    }
    case "huge-string": {
      const key = Object.keys(args).find((name) => typeof args[name] === "string") ?? firstKey(args, schema) ?? "text";
      return { ...args, [key]: "x".repeat(HUGE) };
    }
  }
}

/** The first required property among the arguments, or else the first property. */
function firstKey(args: JsonObject, schema: Fields): string | undefined {
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const keys = Object.keys(args);
  return keys.find((key) => required.includes(key)) ?? keys[0];
}

/** A value that can't be mistaken for the original's type. */
function otherType(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? ["wrong"] : { wrong: "type" };
}

function textForNumbers(value: unknown): unknown {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map((item) => textForNumbers(item));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, textForNumbers(item)]));
}
