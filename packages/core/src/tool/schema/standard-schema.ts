import { isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** What the common schema libraries share: types and validation. @see https://standardschema.dev */
export interface StandardSchema<Output = unknown, Input = unknown> {
  readonly "~standard": {
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Such as ArkType's, and Valibot's after `toStandardJsonSchema()`. @see https://standardschema.dev/json-schema */
export interface StandardJsonSchema<Output = unknown, Input = unknown> {
  readonly "~standard": StandardSchema<Output, Input>["~standard"] & {
    readonly jsonSchema: {
      readonly input: (options: {
        readonly target: string;
        readonly libraryOptions?: Record<string, unknown> | undefined;
      }) => Record<string, unknown>;
    };
  };
}

/** The output type of a schema; `unknown` for a raw JSON Schema. */
export type ParsedBy<Schema> = Schema extends StandardSchema<infer Output> ? Output : unknown;

/** The input type of a schema, before defaults and transforms. */
export type WrittenFor<Schema> = Schema extends StandardSchema<unknown, infer Written> ? Written : unknown;

/** Result of a validation: the value or the issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One validation problem. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** True for a schema that knows its JSON Schema by the convention of Standard JSON Schema. */
export function isStandardJsonSchema(schema: StandardSchema): schema is StandardJsonSchema {
  const standard: unknown = schema["~standard"];
  return (
    isObject(standard) && isObject(standard["jsonSchema"]) && typeof standard["jsonSchema"]["input"] === "function"
  );
}

/** The JSON Schema of a schema's input. @throws What the library throws for a type that JSON Schema cannot express. */
export function fromStandard(schema: StandardJsonSchema): JsonSchema {
  const { vendor, jsonSchema } = schema["~standard"];
  const libraryOptions = optionsFor(vendor);
  let failure: unknown;
  // Libraries should support both.
  for (const target of ["draft-2020-12", "draft-07"]) {
    try {
      return { ...jsonSchema.input({ target, ...(libraryOptions && { libraryOptions }) }) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** Makes libraries agree with zod: checks in code are left to validation, and types that JSON lacks are errors. */
function optionsFor(vendor: string): Record<string, unknown> | undefined {
  switch (vendor) {
    case "valibot":
      return {
        overrideAction: (one: { readonly valibotAction: { readonly kind: string }; readonly jsonSchema: object }) =>
          one.valibotAction.kind === "validation" ? one.jsonSchema : undefined,
      };
    case "arktype":
      // By default, these would accept anything.
      return { fallback: { date: refuse, domain: refuse, proto: refuse } };
    default:
      return undefined;
  }
}

/** @param issue - ArkType's. */
function refuse(issue: { readonly code: string; readonly domain?: string; readonly proto?: { name: string } }): never {
  const { code, domain, proto } = issue;
  const type = code === "date" ? "Date" : (domain ?? proto?.name ?? code);
  const fix = type === "Date" ? 'a string such as "string.date.iso.parse"' : "a type that JSON supports";
  throw new Error(`JSON has no ${type}: use ${fix}`);
}

/** What to write for a schema that cannot be converted. */
export function describeConversion({ "~standard": { vendor } }: StandardSchema, option: string): string {
  if (vendor === "valibot")
    return `import { toStandardJsonSchema } from "@valibot/to-json-schema" and write ${option}: toStandardJsonSchema(schema)`;
  if (vendor === "arktype") return "update arktype to 2.1.28 or newer";
  return `use a version of ${vendor} that supports Standard JSON Schema, or write ${option}: { "~standard": schema["~standard"], jsonSchema: { … } } with its JSON Schema`;
}

/** True for a zod schema of either major version, and for any other Standard Schema. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}

/** Issues as one short line for a model: `days.0: expected string; ...`, at most five, at most 500 characters. */
export function issuesText(issues: readonly StandardIssue[]): string {
  const lines = issues.slice(0, 5).map((issue) => {
    const path = (issue.path ?? []).map((key) => String(typeof key === "object" ? key.key : key)).join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > 5) lines.push(`and ${issues.length - 5} more`);
  const text = lines.join("; ");
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}
