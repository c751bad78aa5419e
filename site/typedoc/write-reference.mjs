/**
 * Writes the API reference: a page for each exported name, and names.json, which says where each is.
 *
 * Plain JavaScript, started as a separate process: TypeDoc needs TypeScript 6, and is installed for the site only.
 *
 * Usage: node write-reference.mjs OUT ENTRY_POINTS_AS_JSON
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, Converter, ReflectionKind } from "typedoc";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [out = "", given = "[]"] = process.argv.slice(2);
/** @type {readonly { readonly name: string, readonly source: string }[]} */
const entryPoints = JSON.parse(given);

// TypeDoc drops the type of `@throws {Type}`.
const readSource = ts.sys.readFile.bind(ts.sys);
ts.sys.readFile = (path, encoding) =>
  readSource(path, encoding)?.replaceAll(/@throws \{(\w+)\} /g, (_, name) => `@throws \`${name}\`: `);

const app = await Application.bootstrapWithPlugins({
  plugin: ["typedoc-plugin-markdown"],
  entryPoints: entryPoints.map(({ source }) => join(root, source)),
  tsconfig: fileURLToPath(new URL("tsconfig.json", import.meta.url)),
  basePath: root,
  // `tsc -b` has checked the sources.
  skipErrorChecking: true,
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  readme: "none",
  githubPages: false,
  name: "Reference",
  router: "member",
  entryFileName: "index",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  excludeScopesInPaths: true,
  useCodeBlocks: true,
  expandObjects: true,
  indexFormat: "table",
  parametersFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: { leftAlignHeaders: true },
  // The type parameters follow below.
  pageTitleTemplates: { member: ({ kind, rawName }) => `${kind}: ${rawName.replace(/\\?<.*/s, "")}` },
  out,
  logLevel: "Error",
});

// Modules are called what one imports.
const nameOfSource = new Map(entryPoints.map(({ name, source }) => [resolve(root, source), name]));
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
  if (!reflection.kindOf(ReflectionKind.Module)) return;
  const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
  reflection.name = nameOfSource.get(resolve(file ?? "")) ?? reflection.name;
});

const project = await app.convert();
if (project === undefined) throw new Error("TypeDoc could not read the sources");
mkdirSync(out, { recursive: true });
await app.generateOutputs(project);

const names = {};
const pages = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".md"));
for (const page of pages.toSorted(byDepth)) {
  const file = join(out, page);
  const name = /([\w~]+)\.md$/.exec(page)?.[1] ?? "";
  if (name !== "index") names[name] ??= relative(out, file).replaceAll("\\", "/");
}
writeFileSync(join(out, "names.json"), JSON.stringify(names));

/** Names of a package's main entry point come before the names of its others. */
function byDepth(one, other) {
  return one.split("/").length - other.split("/").length || one.localeCompare(other);
}
