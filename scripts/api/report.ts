import { isAbsolute } from "node:path";
import { format } from "oxfmt";
import { type ModuleTypes, moduleReader, type NameInFile } from "./modules.ts";

/** One way into a package. */
export interface EntryPoint {
  /** What a program imports, such as `@pollux/core/wire`. */
  readonly specifier: string;
  /** Absolute path of its source. */
  readonly file: string;
}

type Reader = (file: string) => ModuleTypes;

/** What one entry point exports, and which of it is shown with its report. */
interface Surface {
  readonly specifier: string;
  /** Declarations by public name. */
  readonly own: ReadonlyMap<string, NameInFile>;
  /** Names that another entry point shows, by its specifier. */
  readonly shared: Names;
}

/** Names by the module they come from. */
type Names = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Writes down what each entry point of a package exports: every name with its full type, and below them the types that those use
 * without exporting them. A name that several entry points export is shown by the first, and listed by the others.
 *
 * @returns One page of Markdown per entry point, in the order given.
 */
export async function apiReports(entries: readonly EntryPoint[]): Promise<readonly string[]> {
  const read = moduleReader();
  // By declaration, the entry point whose report shows it.
  const shownBy = new Map<string, string>();
  const surfaces = entries.map((entry) => surfaceOf(entry, read, shownBy));
  return await Promise.all(surfaces.map((surface) => reportOf(surface, read, shownBy)));
}

function surfaceOf({ specifier, file }: EntryPoint, read: Reader, shownBy: Map<string, string>): Surface {
  const own = new Map<string, NameInFile>();
  const shared = new Map<string, Set<string>>();
  for (const name of [...read(file).exports.keys()].toSorted()) {
    const at = resolve({ file, name }, read);
    const owner = isAbsolute(at.file) ? (shownBy.get(keyOf(at)) ?? specifier) : at.file;
    if (owner === specifier) own.set(name, at);
    else addTo(shared, owner, name);
  }
  for (const at of own.values()) shownBy.set(keyOf(at), specifier);
  return { specifier, own, shared };
}

/** @param shownBy - Grows by the types that are used and not exported. */
async function reportOf(
  { specifier, own, shared }: Surface,
  read: Reader,
  shownBy: Map<string, string>,
): Promise<string> {
  const imported = new Map<string, Set<string>>();
  const used: NameInFile[] = [];
  const waiting = [...own.values()];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { declarations, imports } = read(at.file);
    for (const name of declarations.get(at.name)?.uses ?? []) {
      if (!declarations.has(name) && !imports.has(name)) continue;
      const found = resolveLocal({ file: at.file, name }, read);
      const owner = isAbsolute(found.file) ? shownBy.get(keyOf(found)) : found.file;
      if (owner === undefined) {
        shownBy.set(keyOf(found), specifier);
        used.push(found);
        waiting.push(found);
      } else if (owner !== specifier) {
        addTo(imported, owner, found.name === name ? name : `${found.name} as ${name}`);
      }
    }
  }

  const code = [
    listOf("import type", imported),
    listOf("export", shared),
    ...[...own].map(([name, at]) =>
      name === at.name ? textOf(at, read, "export ") : `${textOf(at, read, "")}\nexport { ${at.name} as ${name} };`,
    ),
    used.length > 0 ? "// Used above, not exported." : "",
    ...used.map((at) => textOf(at, read, "")).toSorted(),
  ].join("\n\n");
  const formatted = await format("report.d.ts", code, { printWidth: 120 });
  if (formatted.errors.length > 0) throw new Error(`${specifier}: ${formatted.errors[0]?.message}`);
  return `<!-- Written by \`pnpm api:report\` and compared by a test. -->\n\n# ${specifier}\n\n\`\`\`ts\n${formatted.code}\`\`\`\n`;
}

/** Where an exported name is declared: in a source file, or in a package. */
function resolve({ file, name }: NameInFile, read: Reader): NameInFile {
  if (!isAbsolute(file)) return { file, name };
  const target = read(file).exports.get(name);
  if (target === undefined) throw new Error(`${file} does not export ${name}`);
  return typeof target === "string"
    ? resolveLocal({ file, name: target }, read)
    : resolve({ file: target.from, name: target.name }, read);
}

/** The same for a name of a module's own scope. */
function resolveLocal({ file, name }: NameInFile, read: Reader): NameInFile {
  const { declarations, imports } = read(file);
  if (declarations.has(name)) return { file, name };
  const source = imports.get(name);
  if (source === undefined) throw new Error(`${file} has no ${name}`);
  return resolve({ file: source.from, name: source.name }, read);
}

function textOf({ file, name }: NameInFile, read: Reader, prefix: string): string {
  const texts = read(file).declarations.get(name)?.texts ?? [];
  return texts.map((text) => prefix + text).join("\n");
}

function listOf(keyword: string, names: Names): string {
  const lines = [...names.keys()].toSorted().flatMap((from) => {
    const all = [...(names.get(from) ?? [])].toSorted();
    const named = all.filter((name) => !name.startsWith("* as "));
    const clauses = [
      ...all.filter((name) => !named.includes(name)),
      ...(named.length > 0 ? [`{ ${named.join(", ")} }`] : []),
    ];
    return clauses.map((clause) => `${keyword} ${clause} from "${from}";`);
  });
  return lines.join("\n");
}

function addTo(names: Map<string, Set<string>>, from: string, name: string): void {
  names.set(from, (names.get(from) ?? new Set()).add(name));
}

function keyOf({ file, name }: NameInFile): string {
  return `${file}#${name}`;
}
