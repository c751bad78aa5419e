import type { zodToJsonSchema } from "zod-to-json-schema";
import type { ZodTypeAny } from "zod/v3";
import { type $ZodType, toJSONSchema } from "zod/v4/core";
import type { AgentError } from "../../errors/agent-error.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import { type SchemaOwner, withNote } from "./keywords.ts";

/** Types that JSON cannot represent, and what to use instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["bigint", "use z.coerce.bigint() (the model sends decimal digits) or z.int()"],
  ["date", "use z.coerce.date() (the model sends an ISO date-time) or a string schema such as z.iso.datetime()"],
  ["map", "use z.record() or an array of objects"],
  ["set", "use z.array()"],
  ["symbol", "use z.string() or z.enum()"],
  ["function", "remove it: code cannot be sent as JSON"],
  ["nan", "use z.number()"],
  ["custom", "use a schema of JSON values, with .refine() or .transform() for the rest"],
  ["file", "use a string schema for a path, URL or base64"],
]);

/** The JSON Schema of a schema's input. @throws {AgentError} For a type that JSON cannot represent; says what to use instead. */
export function fromZod4(schema: $ZodType, owner: SchemaOwner): JsonSchema {
  let problem: AgentError | undefined;
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
        if (fix !== undefined) problem ??= notJsonError(owner, wrong, path ?? [], fix);
      }
    },
  });
  if (problem !== undefined) throw problem;
  return { ...converted };
}

/** As {@link fromZod4}. */
export function fromZod3(convert: typeof zodToJsonSchema, schema: ZodTypeAny, owner: SchemaOwner): JsonSchema {
  return convert(schema, {
    postProcess: (json, def, refs) => {
      // Every zod 3 definition has these; their common type does not say so.
      const { typeName, coerce } = def as { readonly typeName?: string; readonly coerce?: boolean };
      const type = (typeName ?? "").replace(/^Zod/, "").toLowerCase();
      const fix = INSTEAD.get(type);
      if (fix === undefined || (coerce === true && type === "date")) return json;
      if (coerce === true && type === "bigint")
        return { ...json, type: "string", format: undefined, description: "An integer in decimal digits." };
      throw notJsonError(owner, type, refs.currentPath.slice(1), fix);
    },
  });
}

/** Not a static import, which all bundles would include. @throws {AgentError} Where modules cannot be loaded synchronously. */
export function loadZodToJsonSchema(owner: SchemaOwner): typeof zodToJsonSchema {
  try {
    const createRequire = globalThis.process?.getBuiltinModule?.("node:module")?.createRequire;
    const loaded: unknown = createRequire?.(import.meta.url)("zod-to-json-schema");
    // The package is a dependency: its shape is known.
    if (loaded !== undefined) return (loaded as { readonly zodToJsonSchema: typeof zodToJsonSchema }).zodToJsonSchema;
  } catch {
    // Bundled without its dependencies: the same advice helps.
  }
  throw owner.error(
    `a zod 3 schema cannot be converted automatically in this runtime: import { zod3 } from "@pollux/core/zod3" and wrap it, as in ${owner.option}: zod3(schema), or use zod 4`,
  );
}

function notJsonError(owner: SchemaOwner, type: string, path: readonly (string | number)[], fix: string): AgentError {
  const where = path.join(".");
  return owner.error(
    `${where === "" ? `the ${owner.option}` : where} is a ${type}, which JSON cannot represent: ${fix}`,
    where,
  );
}
