import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inWordsOf, type PackageManager } from "./package-manager.ts";
import type { Template } from "./template.ts";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** The name that templates have in all their texts. */
const PLACEHOLDER = "my-agent";

/** npm leaves out or renames files of these names, so templates have them under others. */
const RENAMED: Readonly<Record<string, string>> = { _gitignore: ".gitignore" };

interface Manifest {
  readonly version: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** This package's manifest. */
export function readOwnManifest(): Manifest {
  return readManifest(readFileSync(join(packageFolder, "package.json"), "utf8"));
}

/** The choices that make a project. */
export interface ProjectPlan {
  readonly name: string;
  readonly template: Template;
  /** Whether it has the page for operators, which is only in the template web. */
  readonly operator: boolean;
  readonly packageManager: PackageManager;
}

/** The files of a project: their texts by path, with `/` as separator. */
export function projectFiles({ name, template, operator, packageManager }: ProjectPlan): ReadonlyMap<string, string> {
  const folder = join(packageFolder, "templates", template);
  const files = new Map<string, string>();
  // Not with file types: `yarn create` runs this from a zip file, and its entries don't say where they are.
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!statSync(join(folder, entry)).isFile()) continue;
    const path = join(dirname(entry), RENAMED[basename(entry)] ?? basename(entry)).replaceAll("\\", "/");
    const text = readFileSync(join(folder, entry), "utf8").replaceAll(PLACEHOLDER, name);
    const chosen = chooseText(text, operator);
    // All of a file may be an option.
    if (chosen !== "") files.set(path, inWordsOf(packageManager, chosen));
  }
  const { workspaces } = readManifest(files.get("package.json") ?? "");
  for (const [path, text] of files) {
    if (path.endsWith("package.json")) files.set(path, completeManifest(text, packageManager));
  }
  if (packageManager === "pnpm" && workspaces !== undefined)
    files.set("pnpm-workspace.yaml", `packages:\n${workspaces.map((one) => `  - ${one}\n`).join("")}`);
  if (packageManager === "yarn") files.set(".yarnrc.yml", "nodeLinker: node-modules\n");
  return files;
}

/** Keeps or removes the text between the marks of a choice. */
function chooseText(text: string, operator: boolean): string {
  const [chosen, other] = operator ? ["if operator", "if no operator"] : ["if no operator", "if operator"];
  return text.replaceAll(marked(chosen), "$1").replaceAll(marked(other), "");
}

function marked(choice: string): RegExp {
  return new RegExp(`${markOf(choice)}([^]*?)${markOf("end")}`, "gm");
}

/** A comment that is a mark: on a line of its own, or inside one; in Markdown, with an empty line after it. */
function markOf(words: string): string {
  return String.raw`(?:(?:^[ \t]+(?=\S+ [a-z ]+ \S+\n))?/\* ${words} \*/[ \n]?|<!-- ${words} -->\n\n)`;
}

/** Fills in the versions of the dependencies. */
function completeManifest(text: string, packageManager: PackageManager): string {
  // The versions that the templates are tested with: pnpm writes the workspace's versions into the published manifest.
  const tested = readOwnManifest().devDependencies ?? {};
  const { workspaces, dependencies, devDependencies, ...rest } = readManifest(text);
  const complete = (names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(names).map(([name, version]) => [
        name,
        version === "*" ? siblingVersion(packageManager) : version === "" ? rangeOf(name, tested[name]) : version,
      ]),
    );
  const manifest = {
    ...rest,
    ...(workspaces !== undefined && packageManager !== "pnpm" && { workspaces }),
    ...(dependencies && { dependencies: complete(dependencies) }),
    ...(devDependencies && { devDependencies: complete(devDependencies) }),
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** The version by which one package of a workspace depends on another. */
function siblingVersion(packageManager: PackageManager): string {
  return packageManager === "pnpm" ? "workspace:*" : "*";
}

function rangeOf(name: string, tested: string | undefined): string {
  if (tested === undefined) throw new Error(`The templates need ${name}, which create-pollux does not list`);
  return /^\d/.test(tested) ? `^${tested}` : tested;
}

function readManifest(text: string): Manifest {
  // Manifests of ours.
  return JSON.parse(text) as Manifest;
}
