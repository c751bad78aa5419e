/** The subject of a name in the reference, by the file that defines it. */
interface Subject {
  readonly heading: string;
  /** Paths of files and folders, from the folder of the entry point. */
  readonly paths: readonly string[];
}

/** Entry points with so many names that one page can't show them. The subject with the longest path that fits has the name. */
const SUBJECTS: Readonly<Record<string, readonly Subject[]>> = {
  "@pollux/core": [
    { heading: "Agents", paths: ["agent/"] },
    { heading: "Sessions", paths: ["agent/session", "session/", "durable/"] },
    { heading: "Tools", paths: ["tool/", "internal/"] },
    { heading: "Results and endings", paths: ["loop/result", "loop/output-audio", "grounding/"] },
    { heading: "Streams, events and partial output", paths: ["loop/events", "loop/run-stream", "loop/output/"] },
    { heading: "Hooks, guardrails and limits", paths: ["loop/"] },
    { heading: "Errors and logging", paths: ["errors/", "logging/"] },
    { heading: "Models, settings and prices", paths: ["model/", "wire/known-models"] },
    { heading: "Endpoints, retries and shared limits", paths: ["wire/"] },
    { heading: "Wire types", paths: ["wire/types/"] },
  ],
  "@pollux/core/wire": [
    { heading: "Contents and parts", paths: ["types/content"] },
    { heading: "Declarations of tools", paths: ["types/declaration"] },
    { heading: "Requests and responses", paths: ["types/"] },
    { heading: "Files, caches, embeddings and models", paths: ["types/resources", "upload", "known-models"] },
    { heading: "Client and endpoints", paths: ["client", "endpoints/", "../internal/"] },
    { heading: "HTTP, retries and shared limits", paths: ["http/", "limiter/"] },
    { heading: "Errors, logging and secrets", paths: ["errors/", "../errors/", "../logging/", "secrets/"] },
  ],
  "@pollux/evals": [
    { heading: "Suites, cases and worlds", paths: ["cases/", "worlds/"] },
    { heading: "Runs and trials", paths: ["trials/"] },
    { heading: "Scorers", paths: ["scorers/"] },
    { heading: "Judges and simulated users", paths: ["judges/", "users/"] },
    { heading: "Statistics and the gate", paths: ["statistics/", "gate/"] },
    { heading: "Reports", paths: ["report/"] },
  ],
};

/** A page of a subject. */
export interface SubjectPage {
  readonly heading: string;
  /** Its file, without the ending: `sessions`. */
  readonly file: string;
  readonly rows: readonly ReferenceRow[];
}

/** A name in the index of an entry point. */
export interface ReferenceRow {
  readonly name: string;
  /** From the folder of the entry point: `classes/Agent.md`. */
  readonly link: string;
  readonly description: string;
}

/**
 * The names of an entry point by subject; none where one page is enough.
 *
 * @param index - The page of the entry point, as TypeDoc writes it.
 * @param source - Text of the entry point.
 */
export function bySubject(entry: string, index: string, source: string): readonly SubjectPage[] {
  const subjects = SUBJECTS[entry];
  if (subjects === undefined) return [];
  const paths = pathsOf(source);
  const rows = [
    ...index.matchAll(
      /^\| \[(.+?)\]\(((?:classes|functions|interfaces|type-aliases|variables)\/[^)]+)\) \| (.*) \|$/gm,
    ),
  ].map(([, name = "", link = "", description = ""]) => ({ name, link, description }));
  const found = new Map(subjects.map(({ heading }) => [heading, [] as ReferenceRow[]]));
  for (const row of rows) {
    const path = paths.get(/([^/]+)\.md$/.exec(row.link)?.[1] ?? "") ?? "";
    const [subject] = subjects
      .map((each) => ({
        ...each,
        fits: Math.max(0, ...each.paths.filter((start) => path.startsWith(start)).map(lengthOf)),
      }))
      .filter(({ fits }) => fits > 0)
      .toSorted((one, other) => other.fits - one.fits);
    if (subject === undefined) throw new Error(`${entry}: no subject has ${row.name}, which is defined in ${path}`);
    found.get(subject.heading)?.push(row);
  }
  return [...found].map(([heading, of]) => ({
    heading,
    file: heading.toLowerCase().replaceAll(/[^a-z]+/g, "-"),
    rows: of.toSorted((one, other) => orderOf(one.link) - orderOf(other.link)),
  }));
}

/** The page of an entry point: its subjects, and the names in each. */
export function subjectIndex(entry: string, pages: readonly SubjectPage[]): string {
  const sections = pages.map(({ heading, file, rows }) => {
    const names = rows.map(({ name, link }) => `[${name}](${link})`).join(", ");
    return `## [${heading}](subjects/${file}.md)\n\n${names}`;
  });
  return `# ${entry}\n\nThe names by subject. The page of a subject says what each is.\n\n${sections.join("\n\n")}\n`;
}

/** The page of one subject: what each name is. */
export function subjectPage(entry: string, { heading, rows }: SubjectPage): string {
  const lines = rows.map(({ name, link, description }) => {
    const [kind = ""] = link.split("/");
    return `| [${name}](../${link})<br>${KINDS[kind] ?? kind} | ${description.replaceAll(/\]\((?:\.\/)?(?![a-z]+:)/g, "](../")} |`;
  });
  return `# ${heading}\n\nNames that [${entry}](../index.md) exports.\n\n| name | what it is |\n| :--- | :--- |\n${lines.join("\n")}\n`;
}

const KINDS: Readonly<Record<string, string>> = {
  classes: "class",
  functions: "function",
  interfaces: "interface",
  "type-aliases": "type",
  variables: "constant",
};

/** Classes and functions come first: a reader calls these. */
function orderOf(link: string): number {
  return ["classes", "functions", "variables", "interfaces", "type-aliases"].indexOf(link.split("/")[0] ?? "");
}

function lengthOf({ length }: string): number {
  return length;
}

/** The file that defines each name which an entry point exports. */
function pathsOf(source: string): ReadonlyMap<string, string> {
  const exported = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from "(?:\.\/)?([^"]+)";$/gm)];
  return new Map(
    exported.flatMap(([, names = "", path = ""]) =>
      names
        .split(",")
        .map((name) => name.trim().replace(/^type /, ""))
        .filter((name) => name !== "")
        .map((name) => [name.split(" as ").at(-1) ?? name, path] as const),
    ),
  );
}
