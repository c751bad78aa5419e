import type { JsonObject } from "@pollux/core";
import { parseDocument } from "yaml";

/** The frontmatter of a `SKILL.md`. The file's author wrote all of it: nothing in it permits anything. */
export interface Skill {
  /** Name of its folder. */
  readonly name: string;
  /** What it does and when to use it, as one line. */
  readonly description: string;
  /** Absolute path of its folder. */
  readonly folder: string;
  /** A license, or the name of the file that has it. */
  readonly license?: string | undefined;
  /** What it requires of its environment. */
  readonly compatibility?: string | undefined;
  /**
   * The whole frontmatter, with every scalar as the text in the file. `allowed-tools` appears here and has no effect: the author of an agent
   * decides which tools it has and which calls need approval.
   */
  readonly frontmatter: JsonObject;
}

/** Most characters that the format allows. */
const MOST = { name: 64, description: 1024, compatibility: 500 };

const FRONTMATTER = /^---[ \t]*\n(?<yaml>(?:.*\n)*?)---[ \t]*(?:\n|$)/;

const NAME = /^[\p{Ll}\p{Lo}\p{M}\p{Nd}]+(?:-[\p{Ll}\p{Lo}\p{M}\p{Nd}]+)*$/u;

/**
 * Reads a `SKILL.md`, or lists everything that is wrong with it.
 *
 * @see https://agentskills.io/specification
 */
export function readSkillFile(
  text: string,
  { folder, folderName }: { readonly folder: string; readonly folderName: string },
): { readonly skill: Skill } | { readonly problems: readonly string[] } {
  const yaml = FRONTMATTER.exec(text)?.groups?.["yaml"];
  if (yaml === undefined)
    return {
      problems: ["it must begin with a line ---, the fields name and description, and another line ---; add them"],
    };
  const read = readYaml(yaml);
  if (typeof read === "string") return { problems: [read] };
  const { name, description, license, compatibility } = read;
  const problems = [
    describeName(name, folderName),
    describeText("description", description, { isRequired: true }),
    describeText("license", license),
    describeText("compatibility", compatibility),
    skillBody(text) === "" ? "it has no text after the frontmatter; write what to do there" : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) return { problems };
  return {
    skill: {
      name: String(name),
      description: oneLine(String(description)),
      folder,
      ...(typeof license === "string" && { license }),
      ...(typeof compatibility === "string" && { compatibility }),
      frontmatter: read,
    },
  };
}

/** The text of a `SKILL.md` after its frontmatter. */
export function skillBody(text: string): string {
  return text.replace(FRONTMATTER, "").trim();
}

/** The fields; or what is wrong, with the line of the file. */
function readYaml(yaml: string): JsonObject | string {
  // Every scalar is a string, so that a version 1.10 stays 1.10; an alias could repeat its target without end.
  const document = parseDocument(yaml, { schema: "failsafe", prettyErrors: false, logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = yaml.slice(0, error.pos[0]).split("\n").length + 1;
    const quote = error.message.includes("mapping")
      ? '; put a value that contains ": " in quotes, or begin it with >- on a line of its own'
      : "";
    return `line ${line} is not YAML: ${error.message.split("\n")[0]}${quote}`;
  }
  let read: unknown;
  try {
    read = document.toJS({ maxAliasCount: 10 });
  } catch {
    return "its frontmatter uses too many YAML aliases; write the values out";
  }
  // With few aliases, a document of strings, lists and mappings is JSON.
  return typeof read === "object" && read !== null && !Array.isArray(read)
    ? (read as JsonObject)
    : "its frontmatter must have fields, such as name: and description:";
}

function describeName(name: unknown, folderName: string): string | undefined {
  if (typeof name !== "string" || name === "") return `name is missing; add name: ${folderName}`;
  const shown = JSON.stringify(name.slice(0, 80));
  if (name.length > MOST.name) return `name has ${name.length} characters; shorten it to ${MOST.name}`;
  if (!NAME.test(name))
    return `name ${shown} must be lowercase letters, digits and single hyphens between them, such as release-notes`;
  if (name.normalize("NFC") !== folderName.normalize("NFC"))
    return `name ${shown} differs from its folder's, ${JSON.stringify(folderName)}; rename one of them`;
  return undefined;
}

function describeText(
  field: "description" | "license" | "compatibility",
  value: unknown,
  { isRequired = false }: { readonly isRequired?: boolean } = {},
): string | undefined {
  const most = field === "license" ? Infinity : MOST[field];
  if (value === undefined || (typeof value === "string" && value.trim() === ""))
    return isRequired ? `${field} is missing; say what the skill does and when to use it` : undefined;
  if (typeof value !== "string") return `${field} must be a string; put it in quotes`;
  return value.length > most ? `${field} has ${value.length} characters; shorten it to ${most}` : undefined;
}

/** Otherwise a line break or a control character in a description could pass for another entry of the list. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Bidi_Control}]+/gu, " ").trim();
}
