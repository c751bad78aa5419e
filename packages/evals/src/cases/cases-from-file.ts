import type { EvalCase } from "./eval-case.ts";

/** What the common schema libraries share. @see https://standardschema.dev */
export interface CaseSchema<Case> {
  readonly "~standard": { readonly validate: (value: unknown) => CaseCheck<Case> | Promise<CaseCheck<Case>> };
}

/** A case as the schema gives it, or what is wrong. */
export type CaseCheck<Case> =
  | { readonly value: Case; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/**
 * Cases of a JSONL file, one a line, for a suite's `data`. Empty lines are skipped. Runs on Node.
 *
 * @param path - From the working directory, or `new URL("cases.jsonl", import.meta.url)` beside the suite.
 * @param schema - Of one case, by zod or another library of Standard Schema; what it makes of a line is the case.
 * @returns What reads the file: rejects with a `TypeError` that names the line.
 * @example
 * ```ts
 * const schema = z.object({ id: z.string(), input: z.string(), expected: z.string() });
 * const data = casesFromFile("cases.jsonl", schema);
 * ```
 */
export function casesFromFile<Case extends Pick<EvalCase, "id" | "input">>(
  path: string | URL,
  schema: CaseSchema<Case>,
): () => Promise<readonly Case[]> {
  return async () => {
    const { readFile } = await import("node:fs/promises");
    const cases: Case[] = [];
    for (const [index, line] of (await readFile(path, "utf8")).split(/\r?\n/u).entries())
      if (line.trim() !== "") cases.push(await readCase(`${String(path)}:${index + 1}`, line, schema));
    return cases;
  };
}

async function readCase<Case>(where: string, line: string, schema: CaseSchema<Case>): Promise<Case> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new TypeError(`${where}: it is not JSON; a file of cases has one JSON object in each line`);
  }
  const checked = await schema["~standard"].validate(value);
  if (checked.issues === undefined) return checked.value;
  const problems = checked.issues.map(({ message, path = [] }) => {
    const place = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  throw new TypeError(`${where}: ${problems.join("; ")}`);
}
