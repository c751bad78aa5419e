import { zodToJsonSchema } from "zod-to-json-schema";
import type { output, ZodTypeAny } from "zod/v3";
import { fromZod3, isStandardSchema } from "./from-zod.ts";
import type { DescribedSchema } from "./declare.ts";

/**
 * Wraps a zod 3 schema for `defineTool` and typed output where it cannot be converted automatically: in browsers, on edge
 * runtimes, in bundles. Node, Bun and Deno accept the bare schema.
 *
 * @throws {ToolDefinitionError} For a type that JSON cannot represent.
 * @throws {TypeError} When it is not a zod 3 schema (3.25 or newer).
 */
export function zod3<Schema extends ZodTypeAny>(schema: Schema): DescribedSchema<output<Schema>> {
  if ("_zod" in schema || !isStandardSchema(schema))
    throw new TypeError("zod3() takes a zod 3 schema (zod 3.25 or newer, or zod/v3); a zod 4 schema needs no wrapper");
  // The type guard above erased the inferred output type.
  const standard = schema["~standard"] as DescribedSchema<output<Schema>>["~standard"];
  return { jsonSchema: fromZod3(zodToJsonSchema, schema, "zod3()"), "~standard": standard };
}

export type { DescribedSchema } from "./declare.ts";
