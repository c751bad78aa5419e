import { zodToJsonSchema } from "zod-to-json-schema";
import type { input, output, ZodTypeAny } from "zod/v3";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { fromZod3 } from "./from-zod.ts";
import type { DescribedSchema } from "./declare.ts";
import type { SchemaOwner } from "./keywords.ts";
import { isStandardSchema } from "./standard-schema.ts";

/**
 * Wraps a zod 3 schema for `defineTool` and typed output where it cannot be converted automatically: in browsers, on edge runtimes, in
 * bundles.
 * @throws {ConfigurationError} For a type that JSON cannot represent.
 * @throws {TypeError} When it is not a zod 3 schema (3.25 or newer).
 */
export function zod3<Schema extends ZodTypeAny>(schema: Schema): DescribedSchema<output<Schema>, input<Schema>> {
  if ("_zod" in schema || !isStandardSchema(schema))
    throw new TypeError("zod3() takes a zod 3 schema (zod 3.25 or newer, or zod/v3); a zod 4 schema needs no wrapper");
  // The type guard above erased the inferred types.
  const standard = schema["~standard"] as DescribedSchema<output<Schema>, input<Schema>>["~standard"];
  return { jsonSchema: fromZod3(zodToJsonSchema, schema, OWNER), "~standard": standard };
}

/** It may become a tool's input or an output. */
const OWNER: SchemaOwner = {
  option: "input",
  error: (problem, _path, options) => new ConfigurationError(`zod3(): ${problem}`, options),
};

export type { DescribedSchema } from "./declare.ts";
