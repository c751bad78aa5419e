import type { zodToJsonSchema } from "zod-to-json-schema";
import type { ZodTypeAny } from "zod/v3";
import { type $ZodType, toJSONSchema } from "zod/v4/core";
import { ToolDefinitionError } from "../../errors/run-errors.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import { withNote } from "./merge-schemas.ts";

/** Types that JSON cannot represent, and what to use instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["bigint", "use z.coerce.bigint() (the model sends decimal digits) or z.int()"],
  ["date", "use z.coerce.date() (the model sends an ISO date-time) or a string schema such as z.iso.datetime()"],
  ["map", "use z.record() or an array of objects"],
  ["set", "use z.array()"],
  ["symbol", "use z.string() or z.enum()"],
  ["function", "remove it; let the tool access what it needs from its own scope"],
  ["nan", "use z.number()"],
  ["custom", "use a schema of JSON values, with .refine() or .transform() for the rest"],
  ["file", "use a string schema for a path, URL or base64"],
]);

/**
 * The JSON Schema of a zod 4 schema's input (not its output).
 *
 * @throws {ToolDefinitionError} For a type that JSON cannot represent; names the path and what to use instead.
 */
export function fromZod4(schema: $ZodType, tool: string): JsonSchema {
  let problem: ToolDefinitionError | undefined;
  const converted = toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema, path }) => {
      const { def } = zodSchema._zod;
      const coerces = "coerce" in def && def.coerce;
      if (def.type === "date" && coerces) Object.assign(jsonSchema, { type: "string", format: "date-time" });
      else if (def.type === "bigint" && coerces)
        Object.assign(jsonSchema, {
          type: "string",
          description: withNote(jsonSchema.description, "An integer in decimal digits."),
        });
      else if (def.type === "undefined" || def.type === "void") Object.assign(jsonSchema, { not: {} });
      else {
        const wrong =
          def.type === "literal" && def.values.some((value) => typeof value === "bigint") ? "bigint" : def.type;
        const fix = INSTEAD.get(wrong);
        if (fix !== undefined) problem ??= notJsonError(tool, wrong, path ?? [], fix);
      }
    },
  });
  if (problem !== undefined) throw problem;
  return { ...converted };
}

/** The one function used from `zod-to-json-schema`. */
export type ZodToJsonSchema = typeof zodToJsonSchema;

const ZOD3_TYPES: ReadonlyMap<string, string> = new Map([
  ["ZodBigInt", "bigint"],
  ["ZodDate", "date"],
  ["ZodMap", "map"],
  ["ZodSet", "set"],
  ["ZodSymbol", "symbol"],
  ["ZodFunction", "function"],
  ["ZodNaN", "nan"],
]);

/**
 * The JSON Schema of a zod 3 schema's input.
 *
 * @throws {ToolDefinitionError} For a type that JSON cannot represent; names the path and what to use instead.
 */
export function fromZod3(convert: ZodToJsonSchema, schema: ZodTypeAny, tool: string): JsonSchema {
  return convert(schema, {
    postProcess: (json, def, refs) => {
      // Every zod 3 definition has these; their common type does not say so.
      const { typeName, coerce } = def as { readonly typeName?: string; readonly coerce?: boolean };
      const type = ZOD3_TYPES.get(typeName ?? "");
      if (type === undefined) return json;
      if (coerce === true && type === "date") return json;
      if (coerce === true && type === "bigint")
        return { ...json, type: "string", format: undefined, description: "An integer in decimal digits." };
      throw notJsonError(tool, type, refs.currentPath.slice(1), INSTEAD.get(type) ?? "use a type that JSON supports");
    },
  });
}

/**
 * Loads `zod-to-json-schema` without a static import, so that bundles without zod 3 schemas do not include it.
 *
 * @throws {ToolDefinitionError} Where modules cannot be loaded synchronously (browsers, most edge runtimes).
 */
export function loadZodToJsonSchema(tool: string): ZodToJsonSchema {
  try {
    const createRequire = globalThis.process?.getBuiltinModule?.("node:module")?.createRequire;
    const loaded: unknown = createRequire?.(import.meta.url)("zod-to-json-schema");
    // The package is a dependency: its shape is known.
    if (loaded !== undefined) return (loaded as { readonly zodToJsonSchema: ZodToJsonSchema }).zodToJsonSchema;
  } catch {
    // Bundled without its dependencies: the same advice helps.
  }
  throw new ToolDefinitionError(
    `tool "${tool}": a zod 3 schema cannot be converted automatically in this runtime: import { zod3 } from "@pollux/core/zod3" and pass input: zod3(schema), or use zod 4`,
    tool,
  );
}

function notJsonError(
  tool: string,
  type: string,
  path: readonly (string | number)[],
  fix: string,
): ToolDefinitionError {
  const where = path.join(".");
  return new ToolDefinitionError(
    `tool "${tool}": ${where === "" ? "the input" : where} is a ${type}, which JSON cannot represent: ${fix}`,
    tool,
    where,
  );
}

/**
 * The part of Standard Schema that zod 3.25 and zod 4 share: type inference and validation.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** Result of a validation: the value or the issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One validation problem. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
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
