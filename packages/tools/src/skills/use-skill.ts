import { defineTool, type Reads, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { Folder } from "../files/folder.ts";
import { codeOf } from "../files/refusal.ts";
import { Walk } from "../files/walk.ts";
import { Work } from "../files/work.ts";
import { readSkillText, SKILL_FILE } from "./skill-bytes.ts";
import { type Skill, skillBody } from "./skill-file.ts";
import { findChange, lastRead, type SkillRead, stepName } from "./skill-read.ts";

/** The model's input. */
export interface UseSkillInput {
  readonly name: string;
  /** A file of the skill; absent for the skill itself. */
  readonly file?: string | undefined;
}

/** What the model reads. */
export interface SkillText {
  readonly skill: string;
  /** Path in the skill's folder; absent for the skill itself. */
  readonly file?: string | undefined;
  /** The file's text; for the skill itself, without its frontmatter. */
  readonly text: string;
  /** The skill's other files; absent if there are none, and with `file`. */
  readonly files?: readonly string[] | undefined;
  /** Present if not all files are listed. */
  readonly note?: string | undefined;
}

/** How skills are read. */
export interface UseSkillOptions {
  readonly toolName: string;
  /** Most bytes of one file. */
  readonly maxBytes: number;
  readonly reads: Reads;
}

/** Most files that are listed with a skill. */
const MOST_FILES = 100;

/** Left out of the list. */
const SKIPPED = new Set([".git", "node_modules", ".DS_Store", SKILL_FILE]);

/** The tool that returns the text of a skill, or a file in its folder. It executes nothing. */
export function useSkill(skills: ReadonlyMap<string, Skill>, options: UseSkillOptions): Tool<UseSkillInput, SkillText> {
  const { toolName, maxBytes, reads } = options;
  const tool: Tool<UseSkillInput, SkillText> = defineTool({
    name: toolName,
    description:
      "Reads a skill: instructions for one kind of task. Your instructions list the skills. Call it before such a task, then for files that the skill names. It runs nothing.",
    input: z.object({
      name: z.enum([...skills.keys()]).describe("Name of the skill"),
      file: z
        .string()
        .min(1)
        .optional()
        .describe("Path of one of its files, such as references/terms.md (default: the skill itself)"),
    }),
    effects: "none",
    reads,
    untrustedDescription: [reads].flat().includes("untrusted"),
    // Text inside JSON is longer than in its file.
    maxResultBytes: 8 * maxBytes + 65_536,
    run: async ({ name, file = SKILL_FILE }, { signal, step }): Promise<SkillText> => {
      // The schema lists the names.
      const { folder } = skills.get(name) as Skill;
      const read = await readSkillText(folder, file, { maxBytes, signal }).catch((error: unknown) => {
        if (codeOf(error instanceof Error ? error.cause : undefined) !== "ENOENT") throw error;
        throw new ToolError(`"${file}" is not in the skill ${name}; call ${toolName} without file to see its files`);
      });
      const record: SkillRead = { skill: name, file: read.file, sha256: read.sha256 };
      await step?.(stepName(record), async () => record);
      if (read.file !== SKILL_FILE) return { skill: name, file: read.file, text: read.text };
      return { skill: name, text: skillBody(read.text), ...(await listFiles(folder, signal)) };
    },
  });
  return {
    ...tool,
    changedSince: async (steps) => {
      const read = lastRead(steps);
      return read && (await findChange(read, skills.get(read.skill)?.folder));
    },
  };
}

async function listFiles(folder: string, signal: AbortSignal): Promise<Pick<SkillText, "files" | "note">> {
  const walk = new Walk({
    skip: SKIPPED,
    gitignore: false,
    maxEntries: 10 * MOST_FILES,
    recursive: true,
    work: new Work(),
    signal,
  });
  const files: string[] = [];
  for await (const { type, path } of walk.from(await new Folder({ root: folder }).find(".")))
    if (type === "file") files.push(path);
  if (files.length === 0) return {};
  const isCut = walk.isFull || files.length > MOST_FILES;
  return { files: files.slice(0, MOST_FILES), ...(isCut && { note: `only the first ${MOST_FILES} files are listed` }) };
}
