import { relative } from "node:path";
import { askFor, type Choices } from "./ask.ts";
import { DEFAULT_FOLDER, HELP, type Options, parseOptions, UsageError } from "./options.ts";
import { inWordsOf, type PackageManager, startingPackageManager } from "./package-manager.ts";
import { projectFiles, readOwnManifest } from "./project-files.ts";
import { chooseTarget, type Target } from "./target.ts";
import type { Template } from "./template.ts";
import type { Terminal } from "./terminal.ts";
import { writeFiles } from "./write-files.ts";

/** Runs the program; returns the exit code: 0, 1 for a failure, 2 for an invalid command line. */
export async function createPollux(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) terminal.stdout.write(HELP);
    else if (options.version) terminal.stdout.write(`${readOwnManifest().version}\n`);
    else return await create(options, terminal);
    return 0;
  } catch (error) {
    terminal.stderr.write(`create-pollux: ${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof UsageError)) return 1;
    terminal.stderr.write("Try npm create pollux@latest -- --help\n");
    return 2;
  }
}

async function create(options: Options, terminal: Terminal): Promise<number> {
  const target = (folder: string): Target =>
    chooseTarget(terminal.cwd, folder, Object.keys(readOwnManifest().devDependencies ?? {}));
  // Problems with it are reported before any question.
  if (options.folder !== undefined) target(options.folder);
  const choices = await choose(options, terminal, target);
  if (choices === undefined) {
    terminal.stderr.write("Nothing was written.\n");
    return 1;
  }
  const { folder, name } = target(choices.folder);
  const files = projectFiles({ ...choices, name });
  writeFiles(folder, files);
  const place = relative(terminal.cwd, folder);
  terminal.stdout.write(
    `Wrote ${files.size} files to ${place === "" ? "this folder" : place}: ${summaryOf(choices)}.\n`,
  );

  const problem = options.install ? await install(choices.packageManager, folder, terminal) : undefined;
  if (problem !== undefined) terminal.stderr.write(`\n${problem} The project itself is complete.\n`);
  const isInstalled = options.install && problem === undefined;
  terminal.stdout.write(nextSteps(choices, place, isInstalled));
  return problem === undefined ? 0 : 1;
}

async function choose(
  options: Options,
  terminal: Terminal,
  target: (folder: string) => Target,
): Promise<Choices | undefined> {
  const { folder, template, operator, packageManager, yes } = options;
  const isInteractive = terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
  const refuse = (wanted: string): string | undefined => {
    try {
      target(wanted);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  if (isInteractive && !yes)
    return await askFor({ folder, template, operator, packageManager }, terminal, refuse, options.install);
  return {
    folder: folder ?? DEFAULT_FOLDER,
    template: template ?? "terminal",
    operator: operator ?? false,
    packageManager: packageManager ?? startingPackageManager(terminal.env),
  };
}

function summaryOf({ template, operator, packageManager }: Choices): string {
  return `template ${template}${operator ? " with a page for operators" : ""}, for ${packageManager}`;
}

/** @returns What went wrong, as a sentence. */
async function install(
  packageManager: PackageManager,
  folder: string,
  terminal: Terminal,
): Promise<string | undefined> {
  terminal.stdout.write(`Installing with ${packageManager} …\n`);
  const code = await terminal.run(packageManager, ["install"], folder);
  if (code === 0) return undefined;
  return code === undefined
    ? `${packageManager} was not found: install it, or choose another with --package-manager.`
    : `${packageManager} install failed.`;
}

const START: Readonly<Record<Template, string>> = {
  terminal: "chats with the agent",
  web: "prints the address of the chat page",
  library: "chats with the agent of the library",
};

function nextSteps({ template, packageManager }: Choices, place: string, isInstalled: boolean): string {
  const steps: readonly (readonly [command: string, does: string])[] = [
    ...(place === "" ? [] : ([[`cd ${/\s/.test(place) ? `"${place}"` : place}`, ""]] as const)),
    ...(isInstalled ? [] : ([["npm install", ""]] as const)),
    ["npm start", START[template]],
    ["npm test", "runs the tests, on the emulator"],
  ];
  const worded = steps.map(([command, does]) => [inWordsOf(packageManager, command), does] as const);
  const width = Math.max(...worded.map(([command]) => command.length)) + 3;
  const lines = worded.map(([command, does]) => `  ${command.padEnd(width)}${does}`.trimEnd());
  return `
Next:

${lines.join("\n")}

Without a key, a local emulator answers. Set GEMINI_API_KEY to ask a real model.
`;
}
