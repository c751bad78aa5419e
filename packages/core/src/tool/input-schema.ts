import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { isObject } from "../internal/json.ts";
import { isStandardSchema, type StandardSchema } from "../internal/standard-schema.ts";
import type { JsonSchema } from "../wire/declaration.ts";

/** A schema that brings its own JSON Schema: what `zod3()` gives, or any Standard Schema with a `jsonSchema` beside it. */
export interface DescribedSchema<Output = unknown> extends StandardSchema<Output> {
  readonly jsonSchema: JsonSchema;
}

/** The kinds of schema a tool's input or an answer can be given in. */
export type SchemaKind =
  | { readonly kind: "zod4"; readonly schema: z4.$ZodType }
  | { readonly kind: "zod3"; readonly schema: z3.ZodTypeAny }
  | { readonly kind: "described"; readonly schema: DescribedSchema }
  | { readonly kind: "json"; readonly schema: JsonSchema }
  | { readonly kind: "unknown" };

/** Tells the kinds apart. Zod 4 schemas have `_def` too, so `_zod` is asked for first. */
export function classifySchema(schema: unknown): SchemaKind {
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return { kind: "unknown" };
  // Each cast follows the mark that the library itself puts on its schemas.
  if ("_zod" in schema) return { kind: "zod4", schema: schema as z4.$ZodType };
  if (isStandardSchema(schema) && "jsonSchema" in schema && isObject(schema.jsonSchema))
    return { kind: "described", schema: schema as DescribedSchema };
  if ("_def" in schema && "safeParseAsync" in schema)
    return { kind: "zod3", schema: schema as unknown as z3.ZodTypeAny };
  if (isStandardSchema(schema) || !isObject(schema)) return { kind: "unknown" };
  return { kind: "json", schema };
}
