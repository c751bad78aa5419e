import { readdirSync, readFileSync } from "node:fs";

/** A row of the README about a rule or a fault. */
export interface Listed {
  readonly id: string;
  /** The refused requests, or the functions that make the fault. */
  readonly what: string;
  /** Whether the service's message was seen, the condition is known, or the wording is a guess. */
  readonly certainty: string;
  readonly profiles: string;
  /** A link; `unsure` if nothing public shows the rule. Empty for faults. */
  readonly evidence: string;
  /** A test. */
  readonly shownBy: string;
}

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** Every rule, in the order of the README. */
export const RULES: readonly Listed[] = rowsUnder("Rules").map(
  ([id = "", what = "", certainty = "", profiles = "", evidence = "", shownBy = ""]) => {
    return { id, what, certainty, profiles, evidence, shownBy };
  },
);

/** Every fault. */
export const FAULTS: readonly Listed[] = rowsUnder("Faults").map(
  ([id = "", what = "", _seen, certainty = "", profiles = "", shownBy = ""]) => {
    return { id, what, certainty, profiles, evidence: "", shownBy };
  },
);

/** Whether validation refuses requests under the rule's own id. */
export function refuses({ id, shownBy }: Listed): boolean {
  return shownBy.startsWith(`\`validate/refusals.test.ts\`: ${id}: `);
}

/** Whether a rule or a fault is a guess, or nothing public shows it. */
export function isGuessed({ certainty, evidence }: Listed): boolean {
  return certainty === "guess" || evidence === "unsure";
}

/** The files of `src` by the ids in them, as paths below `src`. */
export function filesById(): ReadonlyMap<string, string> {
  const src = new URL("../src/", import.meta.url);
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return new Map(
    files.toSorted().flatMap((file) => {
      const found = readFileSync(new URL(file, src), "utf8").matchAll(/"([A-Z]-\d{1,2}[a-z]?|continuation)"/g);
      return [...found].map(([, id = ""]) => [id, file] as const);
    }),
  );
}

/** Rows of the table under a heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const section = README.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}
