import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange } from "../tool.ts";
import type { StandardIssue } from "./standard-schema.ts";
import { findUnchecked, judgePattern } from "./unchecked.ts";

/** Checks values against a plain JSON Schema. */
export interface JsonCheck {
  /** What of the schema is not checked. */
  readonly unchecked: readonly SchemaChange[];
  /** Empty when the value fits. A value that takes too many steps does not. */
  issuesOf(value: unknown): Promise<readonly StandardIssue[]>;
}

/** Loads the validator with the first value: programs without such a schema never do. */
export function jsonCheck(schema: JsonSchema): JsonCheck {
  let loading: Promise<(value: unknown) => readonly StandardIssue[]> | undefined;
  const { unchecked, hasPatterns } = findUnchecked(schema, judgePattern);
  return {
    unchecked,
    issuesOf: async (value) => {
      loading ??= import("./validator.ts").then(({ loadCheck }) => loadCheck(schema, hasPatterns));
      return (await loading)(value);
    },
  };
}
