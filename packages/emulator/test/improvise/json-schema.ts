import { isDeepStrictEqual } from "node:util";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Violations of a schema of either kind by a value, as paths; empty for a valid value. Written for tests, from the specification. */
export function violations(value: unknown, schema: unknown, root: unknown = schema, path = "$"): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const rules = schema as JsonSchema;
  const inner = (child: unknown, by: unknown, at: string) => violations(child, by, root, `${path}${at}`);
  const wrong = (rule: string, holds: boolean): string[] =>
    holds ? [] : [`${path}: ${rule} ${JSON.stringify(rules[rule])} of ${JSON.stringify(value)}`];
  if (rules["nullable"] === true && value === null) return [];
  const found: string[] = [];
  const ref = rules["$ref"];
  if (typeof ref === "string") {
    const target = ref
      .split("/")
      .slice(1)
      .reduce<unknown>((node, step) => (node as JsonSchema)[step], root);
    found.push(...inner(value, target, ""));
  }
  if ("const" in rules) found.push(...wrong("const", isDeepStrictEqual(value, rules["const"])));
  if (Array.isArray(rules["enum"])) {
    found.push(
      ...wrong(
        "enum",
        rules["enum"].some((member) => isDeepStrictEqual(member, value)),
      ),
    );
  }
  for (const choice of ["anyOf", "oneOf"]) {
    const choices = rules[choice];
    if (Array.isArray(choices))
      found.push(
        ...wrong(
          choice,
          choices.some((one) => inner(value, one, "").length === 0),
        ),
      );
  }
  if (rules["type"] !== undefined) {
    const types = [rules["type"] as string | readonly string[]].flat().map((type) => type.toLowerCase());
    found.push(
      ...wrong(
        "type",
        types.some((type) => hasType(value, type)),
      ),
    );
  }
  if (typeof value === "number") found.push(...numberViolations(value, rules, wrong));
  if (typeof value === "string") found.push(...textViolations(value, rules, wrong));
  if (Array.isArray(value)) {
    const prefix: readonly unknown[] = Array.isArray(rules["prefixItems"]) ? rules["prefixItems"] : [];
    found.push(...wrong("minItems", value.length >= Number(rules["minItems"] ?? 0)));
    found.push(...wrong("maxItems", value.length <= Number(rules["maxItems"] ?? Number.POSITIVE_INFINITY)));
    const repeated = value.some((item, index) => value.slice(0, index).some((other) => isDeepStrictEqual(other, item)));
    found.push(...wrong("uniqueItems", rules["uniqueItems"] !== true || !repeated));
    found.push(...value.flatMap((item, index) => inner(item, prefix[index] ?? rules["items"], `[${index}]`)));
  } else if (typeof value === "object" && value !== null) {
    const properties = (rules["properties"] ?? {}) as JsonSchema;
    const required: readonly unknown[] = Array.isArray(rules["required"]) ? rules["required"] : [];
    found.push(
      ...wrong(
        "required",
        required.every((name) => Object.hasOwn(value, String(name))),
      ),
    );
    for (const [name, child] of Object.entries(value)) {
      if (Object.hasOwn(properties, name)) found.push(...inner(child, properties[name], `.${name}`));
      else if (rules["additionalProperties"] === false) found.push(`${path}.${name}: additional`);
      else found.push(...inner(child, rules["additionalProperties"], `.${name}`));
    }
    const size = Object.keys(value).length;
    found.push(...wrong("minProperties", size >= Number(rules["minProperties"] ?? 0)));
    found.push(...wrong("maxProperties", size <= Number(rules["maxProperties"] ?? Number.POSITIVE_INFINITY)));
  }
  return found;
}

function hasType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

type Wrong = (rule: string, holds: boolean) => string[];

function numberViolations(value: number, rules: JsonSchema, wrong: Wrong): string[] {
  const bound = (name: string, otherwise: number) => Number(rules[name] ?? otherwise);
  const step = rules["multipleOf"] === undefined ? undefined : Number(rules["multipleOf"]);
  return [
    ...wrong("minimum", value >= bound("minimum", Number.NEGATIVE_INFINITY)),
    ...wrong("maximum", value <= bound("maximum", Number.POSITIVE_INFINITY)),
    ...wrong("exclusiveMinimum", value > bound("exclusiveMinimum", Number.NEGATIVE_INFINITY)),
    ...wrong("exclusiveMaximum", value < bound("exclusiveMaximum", Number.POSITIVE_INFINITY)),
    ...wrong("multipleOf", step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9),
  ];
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}-\d\d-\d\d$/,
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
  time: /^\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/,
  duration: /^P(?!$)(?:\d+D)?(?:T(?:\d+[HMS])+)?$/,
  email: /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
  uri: /^[a-z]+:\S+$/,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  hostname: /^[a-z0-9.-]+$/,
  ipv4: /^\d+(?:\.\d+){3}$/,
  ipv6: /^[0-9a-f:]+$/,
};

function textViolations(value: string, rules: JsonSchema, wrong: Wrong): string[] {
  const length = Array.from(value).length;
  const pattern = rules["pattern"];
  const format = FORMATS[String(rules["format"])];
  return [
    ...wrong("minLength", length >= Number(rules["minLength"] ?? 0)),
    ...wrong("maxLength", length <= Number(rules["maxLength"] ?? Number.POSITIVE_INFINITY)),
    ...wrong("pattern", typeof pattern !== "string" || new RegExp(pattern, "u").test(value)),
    ...wrong("format", format === undefined || format.test(value)),
  ];
}
