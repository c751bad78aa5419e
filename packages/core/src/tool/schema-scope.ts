import { ToolDefinitionError } from "../errors/tool-errors.ts";
import type { JsonSchema } from "../wire/declaration.ts";
import type { SchemaChange } from "./tool.ts";

/** Where in the author's schema the work is. */
export interface SchemaPlace {
  readonly path: readonly string[];
  /** References that are being put in place, so that one inside itself is noticed. */
  readonly inlining: ReadonlySet<string>;
}

/** What one clean-up shares. */
export interface SchemaScope {
  readonly tool: string;
  /** The author's schema, for its references. */
  readonly root: JsonSchema;
  readonly changes: SchemaChange[];
  /** Cleaned definitions by name; undefined while one is being cleaned. */
  readonly definitions: Map<string, JsonSchema | undefined>;
  /** Reference as written → name in `$defs`. */
  readonly names: Map<string, string>;
}

/** The place of a child. */
export function into({ path, inlining }: SchemaPlace, ...keys: readonly (string | number)[]): SchemaPlace {
  return { path: [...path, ...keys.map(String)], inlining };
}

/** Records a change. */
export function changed(scope: SchemaScope, place: SchemaPlace, change: string, ...keys: readonly string[]): void {
  scope.changes.push({ path: into(place, ...keys).path.join("."), change });
}

/** The error for a schema that the service would refuse. */
export function refused(scope: SchemaScope, place: SchemaPlace, problem: string): ToolDefinitionError {
  const path = place.path.join(".");
  return new ToolDefinitionError(
    `tool "${scope.tool}": ${path === "" ? "the schema" : path} ${problem}`,
    scope.tool,
    path,
  );
}
