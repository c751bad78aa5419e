import type { Schema, SchemaIssue } from "../scorers/match-args.ts";
import type { EvalCase } from "./eval-case.ts";
import { readJsonLines } from "./json-lines.ts";

/**
 * Cases of a JSONL file, one a line, for a suite's `data`. Empty lines are skipped. Runs on Node.
 *
 * @param path - From the working directory, or `new URL("cases.jsonl", import.meta.url)` beside the suite.
 * @param schema - Schema of one case, by zod or another library of Standard Schema; its output is the case.
 * @returns A function that reads the file, and rejects with a `TypeError` that names the line.
 * @example
 * ```ts
 * const schema = z.object({ id: z.string(), input: z.string(), expected: z.string() });
 * const data = casesFromFile("cases.jsonl", schema);
 * ```
 */
export function casesFromFile<Case extends Pick<EvalCase, "id" | "input">>(
  path: string | URL,
  schema: Schema<Case>,
): () => Promise<readonly Case[]> {
  return async () => {
    const cases: Case[] = [];
    for (const { value, line } of readJsonLines(path)) {
      const checked = await schema["~standard"].validate(value);
      if (checked.issues !== undefined)
        throw new TypeError(`${String(path)}:${line}: ${describeIssues(checked.issues)}`);
      cases.push(checked.value);
    }
    return cases;
  };
}

function describeIssues(issues: readonly SchemaIssue[]): string {
  const problems = issues.map(({ message, path = [] }) => {
    const place = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  return problems.join("; ");
}
