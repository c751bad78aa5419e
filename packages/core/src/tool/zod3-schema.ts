import type { zodToJsonSchema } from "zod-to-json-schema";
import type { ZodTypeAny } from "zod/v3";
import { ToolDefinitionError } from "../errors/tool-errors.ts";
import type { JsonSchema } from "../wire/declaration.ts";
import { notJson, NOT_JSON } from "./zod4.ts";

/** The one function that is needed of `zod-to-json-schema`. */
export type ZodToJsonSchema = typeof zodToJsonSchema;

const TYPES: ReadonlyMap<string, string> = new Map([
  ["ZodBigInt", "bigint"],
  ["ZodDate", "date"],
  ["ZodMap", "map"],
  ["ZodSet", "set"],
  ["ZodSymbol", "symbol"],
  ["ZodFunction", "function"],
  ["ZodNaN", "nan"],
]);

/**
 * The JSON Schema of what a zod 3 schema takes in.
 *
 * @throws {ToolDefinitionError} For a type that JSON has not; names the path and what to use instead.
 */
export function fromZod3(convert: ZodToJsonSchema, schema: ZodTypeAny, tool: string): JsonSchema {
  return convert(schema, {
    postProcess: (json, def, refs) => {
      // Every zod 3 definition has these; their common type does not say so.
      const { typeName, coerce } = def as { readonly typeName?: string; readonly coerce?: boolean };
      const type = TYPES.get(typeName ?? "");
      if (type === undefined) return json;
      if (coerce === true && type === "date") return json;
      if (coerce === true && type === "bigint")
        return { ...json, type: "string", format: undefined, description: "An integer in decimal digits." };
      throw notJson(tool, type, refs.currentPath.slice(1), NOT_JSON.get(type) ?? "use a type that JSON has");
    },
  });
}

/**
 * Finds `zod-to-json-schema` without importing it, so that programs without zod 3 schemas do not carry it.
 *
 * @throws {ToolDefinitionError} Where modules cannot be loaded at once (browsers, most edge runtimes).
 */
export function loadZodToJsonSchema(tool: string): ZodToJsonSchema {
  try {
    const createRequire = globalThis.process?.getBuiltinModule?.("node:module")?.createRequire;
    const loaded: unknown = createRequire?.(import.meta.url)("zod-to-json-schema");
    // The package is a dependency of this one: its shape is known.
    if (loaded !== undefined) return (loaded as { readonly zodToJsonSchema: ZodToJsonSchema }).zodToJsonSchema;
  } catch {
    // Bundled without its dependencies: the same advice helps.
  }
  throw new ToolDefinitionError(
    `tool "${tool}": a zod 3 schema cannot be converted in this runtime by itself: import { zod3 } from "@pollux/core/zod3" and pass input: zod3(schema), or use zod 4`,
    tool,
  );
}
