import { ToolDefinitionError } from "../../errors/run-errors.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange } from "../tool.ts";

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

/** Where in the author's schema the work is. */
export class SchemaPlace {
  readonly scope: SchemaScope;
  readonly path: readonly string[];
  /** References that are being put in place, so that one inside itself is noticed. */
  readonly inlining: ReadonlySet<string>;

  constructor(scope: SchemaScope, path: readonly string[] = [], inlining: ReadonlySet<string> = new Set()) {
    this.scope = scope;
    this.path = path;
    this.inlining = inlining;
  }

  at(...keys: readonly (string | number)[]): SchemaPlace {
    return new SchemaPlace(this.scope, [...this.path, ...keys.map(String)], this.inlining);
  }

  changed(change: string, ...keys: readonly string[]): void {
    this.scope.changes.push({ path: [...this.path, ...keys].join("."), change });
  }

  /** The error for a schema that the service would refuse. */
  refused(problem: string): ToolDefinitionError {
    const path = this.path.join(".");
    const { tool } = this.scope;
    return new ToolDefinitionError(`tool "${tool}": ${path === "" ? "the schema" : path} ${problem}`, tool, path);
  }
}
