import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isolatedDeclarationSync, parseSync } from "rolldown/experimental";

/** A name in one source file: what a declaration is identified by. */
export interface NameInFile {
  readonly file: string;
  readonly name: string;
}

/** A name that a module takes from elsewhere: a path for a relative import, a specifier for a package. */
interface Import {
  readonly from: string;
  readonly name: string;
}

interface Declaration {
  /** TypeScript without comments; several for overloads and for a value and a type of one name. */
  readonly texts: string[];
  /** Names of the module's scope that the texts use. */
  readonly uses: Set<string>;
}

/** The public face of one source file, as TypeScript would emit it. */
export interface ModuleTypes {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly imports: ReadonlyMap<string, Import>;
  /** By public name: a name of this module's scope, or of another module. */
  readonly exports: ReadonlyMap<string, string | Import>;
}

/** Positions in a text. */
interface Range {
  readonly start: number;
  readonly end: number;
}

interface Node extends Range {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Reads the types of source files. `isolatedDeclarations` makes the types of each file follow from that file alone, so neither a build
 * nor a type checker is needed.
 *
 * @returns A function that reads one file, once.
 */
export function moduleReader(): (file: string) => ModuleTypes {
  const known = new Map<string, ModuleTypes>();
  return (file) => {
    const found = known.get(file) ?? readModule(file);
    known.set(file, found);
    return found;
  };
}

function readModule(file: string): ModuleTypes {
  const { code, errors } = isolatedDeclarationSync(file, readFileSync(file, "utf8"), { stripInternal: true });
  if (errors.length > 0) throw new Error(`${relative(process.cwd(), file)}: ${errors[0]?.message}`);
  const { program, comments } = parseSync("module.d.ts", code);

  const declarations = new Map<string, Declaration>();
  const imports = new Map<string, Import>();
  const exports = new Map<string, string | Import>();
  // Each statement is looked at by its type; the parser's own types don't cover all fields read below.
  for (const statement of program.body as unknown as readonly Node[]) {
    if (statement.type === "ImportDeclaration") {
      for (const specifier of nodes(statement["specifiers"]))
        imports.set(nameOf(specifier["local"]), importOf(file, statement["source"], specifier["imported"]));
      continue;
    }
    if (statement.type === "ExportAllDeclaration" || statement.type === "ExportDefaultDeclaration")
      throw new Error(`${relative(process.cwd(), file)}: export each name by itself, not by \`*\` or \`default\``);
    const exported = statement.type === "ExportNamedDeclaration";
    for (const specifier of exported ? nodes(statement["specifiers"]) : []) {
      const name = nameOf(specifier["exported"]);
      const local = specifier["local"];
      exports.set(name, statement["source"] ? importOf(file, statement["source"], local) : nameOf(local));
    }
    const declaration = exported ? statement["declaration"] : statement;
    if (!isNode(declaration)) continue;
    for (const name of declaredNames(declaration)) {
      const entry = declarations.get(name) ?? { texts: [], uses: new Set() };
      entry.texts.push(withoutComments(code, declaration, comments));
      for (const used of usedNames(declaration)) entry.uses.add(used);
      declarations.set(name, entry);
      if (exported) exports.set(name, name);
    }
  }
  return { declarations, imports, exports };
}

/** The text of one node, without comments and the space after each. */
function withoutComments(code: string, { start, end }: Range, comments: readonly Range[]): string {
  let text = "";
  let from = start;
  for (const comment of comments) {
    if (comment.start < from || comment.end > end) continue;
    text += code.slice(from, comment.start);
    from = end - code.slice(comment.end, end).trimStart().length;
  }
  return text + code.slice(from, end);
}

function declaredNames(declaration: Node): readonly string[] {
  if (declaration.type !== "VariableDeclaration") return declaration["id"] ? [nameOf(declaration["id"])] : [];
  return nodes(declaration["declarations"]).map((each) => nameOf(each["id"]));
}

/** The fields in which an identifier refers to something, and does not name a member, a parameter or a label. */
const REFERRING = new Set(["typeName", "exprName", "left", "expression", "superClass", "object"]);

function usedNames(node: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: unknown, field: string): void => {
    if (Array.isArray(value)) for (const each of value) visit(each, field);
    if (!isNode(value)) return;
    if (value.type === "Identifier" && REFERRING.has(field)) names.add(nameOf(value));
    for (const [key, child] of Object.entries(value)) visit(child, key);
  };
  visit(node, "");
  return names;
}

/** @param imported - Absent for `import * as name`. */
function importOf(file: string, source: unknown, imported: unknown): Import {
  const specifier = isNode(source) ? String(source["value"]) : "";
  return {
    from: specifier.startsWith(".") ? join(file, "..", specifier) : specifier,
    name: isNode(imported) ? nameOf(imported) : "*",
  };
}

function nameOf(node: unknown): string {
  if (!isNode(node)) throw new TypeError("a name was expected");
  return String(node["name"] ?? node["value"]);
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
