import { confirm, isCancel, select, text } from "@clack/prompts";
import { DEFAULT_FOLDER } from "./options.ts";
import { PACKAGE_MANAGERS, type PackageManager, startingPackageManager } from "./package-manager.ts";
import { TEMPLATE_NAMES, TEMPLATES, type Template } from "./template.ts";
import type { Terminal } from "./terminal.ts";

/** The choices to ask for if the command line doesn't make them. */
export interface Choices {
  /** Where the project goes; its name is the folder's name. */
  readonly folder: string;
  readonly template: Template;
  /** Whether the project has the page for operators. */
  readonly operator: boolean;
  readonly packageManager: PackageManager;
}

/**
 * Asks for what is not known yet.
 *
 * @param refuse - Says why a folder can't be taken.
 * @param install - Whether the package manager is about to run: then only installed ones can be chosen.
 * @returns Undefined if the person gave up.
 */
export async function askFor(
  known: { readonly [Name in keyof Choices]: Choices[Name] | undefined },
  terminal: Terminal,
  refuse: (folder: string) => string | undefined,
  install: boolean,
): Promise<Choices | undefined> {
  const { stdin, stdout, env } = terminal;
  const streams = { input: stdin, output: stdout };
  const folder =
    known.folder ??
    (await text({
      message: "What is it called?",
      placeholder: DEFAULT_FOLDER,
      defaultValue: DEFAULT_FOLDER,
      validate: (name = "") => refuse(name.trim() === "" ? DEFAULT_FOLDER : name.trim()),
      ...streams,
    }));
  if (isCancel(folder)) return undefined;
  const template =
    known.template ??
    (await select<Template>({
      message: "What do you want to build?",
      options: TEMPLATE_NAMES.map((value) => ({
        value,
        label: TEMPLATES[value].label,
        hint: TEMPLATES[value].summary,
      })),
      ...streams,
    }));
  if (isCancel(template)) return undefined;
  const operator =
    known.operator ??
    (template === "web" &&
      (await confirm({ message: "With a page where operators approve calls?", initialValue: false, ...streams })));
  if (isCancel(operator)) return undefined;
  const packageManager =
    known.packageManager ??
    (await select<PackageManager>({
      message: "Which package manager?",
      options: PACKAGE_MANAGERS.map((value) =>
        install && !terminal.finds(value) ? { value, hint: "not installed", disabled: true } : { value },
      ),
      initialValue: startingPackageManager(env),
      ...streams,
    }));
  if (isCancel(packageManager)) return undefined;
  return { folder: folder.trim(), template, operator, packageManager };
}
