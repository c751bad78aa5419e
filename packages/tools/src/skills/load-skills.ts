import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Reads, Tool } from "@pollux/core";
import { checkOptions } from "@pollux/core/wire";
import { codeOf } from "../files/refusal.ts";
import { readSkillText, SKILL_FILE } from "./skill-bytes.ts";
import { SkillError, type SkillProblem } from "./skill-error.ts";
import { readSkillFile, type Skill } from "./skill-file.ts";
import { type SkillText, useSkill, type UseSkillInput } from "./use-skill.ts";

/** Options of {@link loadSkills}. */
export interface LoadSkillsOptions {
  /**
   * What the skills bring into a history. `"trusted"` for skills that you wrote or reviewed like code: otherwise, calls that reach outside
   * wait for a person from the first request on, because the descriptions are in the instructions. @defaultValue "untrusted"
   */
  readonly reads?: Reads | undefined;
  /** Name of the tool. @defaultValue "use_skill" */
  readonly toolName?: string | undefined;
  /** Most bytes of one file; a larger one is refused. @defaultValue 65_536 */
  readonly maxBytes?: number | undefined;
  /** Called with all problems, if there are any; the other skills are still loaded. @defaultValue throws a {@link SkillError} */
  readonly onProblems?: ((problems: readonly SkillProblem[]) => void) | undefined;
}

const OPTIONS: { readonly [Name in keyof LoadSkillsOptions]-?: true } = {
  reads: true,
  toolName: true,
  maxBytes: true,
  onProblems: true,
};

/** Skills for an agent: it needs both the instructions and the tool. */
export interface Skills {
  /** Ordered by name. */
  readonly skills: readonly Skill[];
  /** The list of names and descriptions, to be added to the agent's instructions. Always the same for the same skills. */
  readonly instructions: string;
  /** `use_skill`: returns the text of a skill when the model needs it, and the skill's files. */
  readonly tool: Tool<UseSkillInput, SkillText>;
}

/**
 * Loads skills: folders with a `SKILL.md`, in the format of agentskills.io. The model has their names and descriptions from the start, and
 * reads the rest when it needs it.
 *
 * @param folders - One or more folders that are skills or contain them. Each subfolder must be a skill, except hidden ones and `node_modules`.
 * @throws {SkillError} With everything that is wrong, by file. With {@link LoadSkillsOptions.onProblems}, the other skills load instead.
 * @throws {TypeError} For an unknown or invalid option.
 * @example
 * ```ts
 * const skills = await loadSkills("./skills");
 * const agent = new Agent({
 *   model: "gemini-flash-latest",
 *   instructions: `You help the finance team.\n\n${skills.instructions}`,
 *   tools: [skills.tool],
 * });
 * ```
 */
export async function loadSkills(
  folders: string | readonly string[],
  options: LoadSkillsOptions = {},
): Promise<Skills> {
  checkOptions("loadSkills()", options, OPTIONS);
  const { toolName = "use_skill", maxBytes = 65_536, reads = "untrusted", onProblems } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new TypeError(`loadSkills(): maxBytes must be an integer of at least 1, got ${String(maxBytes)}`);
  const problems: SkillProblem[] = [];
  const found = new Map<string, Skill>();
  for (const folder of await findFolders([folders].flat(), problems)) {
    const path = join(folder, SKILL_FILE);
    const read = await readSkill(folder, maxBytes);
    if ("problems" in read) problems.push(...read.problems.map((message) => ({ path, message })));
    else if (!found.has(read.skill.name)) found.set(read.skill.name, read.skill);
    else {
      const other = found.get(read.skill.name)?.folder;
      problems.push({ path, message: `${other} has the same name; rename one of them, and its folder` });
    }
  }
  if (problems.length > 0) {
    if (onProblems === undefined) throw new SkillError(problems);
    onProblems(problems);
  }
  const skills = [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (skills.length === 0)
    throw new SkillError([
      { path: [folders].flat().join(", "), message: "there is no skill; add a folder with a SKILL.md" },
    ]);
  return {
    skills,
    instructions: listOf(skills, toolName),
    tool: useSkill(new Map(skills.map((skill) => [skill.name, skill])), { toolName, maxBytes, reads }),
  };
}

/** The folders that must be skills. */
async function findFolders(given: readonly string[], problems: SkillProblem[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of given) {
    if (typeof path !== "string" || path.trim() === "")
      throw new TypeError("loadSkills(): pass the path of a folder, or several");
    const folder = await realpath(resolve(path)).catch(() => undefined);
    const entries =
      folder === undefined ? undefined : await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (folder === undefined || entries === undefined)
      problems.push({ path, message: "it is not a folder that can be read; correct the path" });
    else if (entries.some(isSkillFile)) found.push(folder);
    else for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) await add(entry, folder);
  }
  return found;

  async function add(entry: Dirent, above: string): Promise<void> {
    const path = join(above, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") return;
    if (entry.isDirectory()) found.push(path);
    else if (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isDirectory() !== false)
      problems.push({
        path,
        message: "it is a link, which is not followed; pass the folder that it points to",
      });
  }
}

function isSkillFile({ name }: Dirent): boolean {
  return name === SKILL_FILE;
}

async function readSkill(folder: string, maxBytes: number): Promise<ReturnType<typeof readSkillFile>> {
  try {
    const { text } = await readSkillText(folder, SKILL_FILE, { maxBytes, signal: new AbortController().signal });
    return readSkillFile(text, { folder, folderName: basename(folder) });
  } catch (error) {
    if (codeOf(error instanceof Error ? error.cause : undefined) === "ENOENT") {
      const other = (await readdir(folder)).find((name) => name.toLowerCase() === SKILL_FILE.toLowerCase());
      return {
        problems: [
          other === undefined
            ? "it does not exist; add it, or move the folder elsewhere"
            : `it is called ${other}; rename it`,
        ],
      };
    }
    return { problems: [error instanceof Error ? error.message : String(error)] };
  }
}

function listOf(skills: readonly Skill[], toolName: string): string {
  return `## Skills

Each skill has instructions for one kind of task. Before a task that matches a description below, read the skill with ${toolName} and follow it, as far as it does not contradict these instructions or the user.

${skills.map(({ name, description }) => `- ${name}: ${description}`).join("\n")}`;
}
