import type { Fields } from "../../internal/json.ts";
import { matches } from "./pattern-match.ts";
import type { Work } from "./work.ts";

const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}-\d\d-\d\d$/,
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
  time: /^\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/,
  email: /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/,
  uri: /^https?:\/\/\S+$/,
  url: /^https?:\/\/\S+$/,
};

/** Whether a text, a number or a boolean satisfies a schema without references; false for other values. */
export function fitsSchema(value: unknown, schema: Fields, work: Work): boolean {
  const bound = (name: string, otherwise: number): number =>
    typeof schema[name] === "number" || typeof schema[name] === "string" ? Number(schema[name]) : otherwise;
  if (Array.isArray(schema["enum"])) return schema["enum"].includes(value);
  if ("const" in schema || "anyOf" in schema || "oneOf" in schema || "allOf" in schema || "$ref" in schema)
    return false;
  const types = (Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]).map((type) =>
    String(type ?? "").toLowerCase(),
  );
  const isA = (...names: readonly string[]): boolean => names.some((name) => types.includes(name));
  if (typeof value === "boolean") return isA("boolean");
  if (typeof value === "number") {
    const step = bound("multipleOf", 0);
    return (
      (isA("number") || (isA("integer") && Number.isInteger(value))) &&
      value >= bound("minimum", Number.NEGATIVE_INFINITY) &&
      value <= bound("maximum", Number.POSITIVE_INFINITY) &&
      value > bound("exclusiveMinimum", Number.NEGATIVE_INFINITY) &&
      value < bound("exclusiveMaximum", Number.POSITIVE_INFINITY) &&
      (step === 0 || Number.isInteger(value / step))
    );
  }
  if (typeof value !== "string" || !(isA("string") || types.every((type) => type === ""))) return false;
  const length = Array.from(value).length;
  if (length < bound("minLength", 0) || length > bound("maxLength", Number.POSITIVE_INFINITY)) return false;
  const format = schema["format"];
  if (typeof format === "string" && format !== "" && FORMATS[format]?.test(value) !== true) return format === "enum";
  return typeof schema["pattern"] !== "string" || matches(schema["pattern"], value, work);
}
