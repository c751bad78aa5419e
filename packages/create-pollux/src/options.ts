import { parseArgs } from "node:util";
import { isPackageManager, PACKAGE_MANAGERS, type PackageManager } from "./package-manager.ts";
import { isTemplate, TEMPLATE_NAMES, TEMPLATES, type Template } from "./template.ts";

export const DEFAULT_FOLDER = "my-agent";

export const HELP: string = `Usage: npm create pollux@latest [FOLDER] [-- options]

Start a project with Pollux: tool-using agents on the Gemini API.

Options:
  -t, --template NAME          what to start with (default terminal):
${TEMPLATE_NAMES.map((name) => `        ${name.padEnd(11)}${TEMPLATES[name].summary}`).join("\n")}
      --operator               with a page where operators approve; for web
  -p, --package-manager NAME   ${PACKAGE_MANAGERS.join(", ")}; the default is the one that
                               runs this
  -y, --yes                    ask nothing, and take the defaults
      --no-install             only write the files
  -h, --help                   show this help
  -v, --version                print the version

FOLDER must be new or empty. If it is missing, you are asked (default ${DEFAULT_FOLDER}).
Without a terminal, nothing is asked, and the defaults apply.

Exit codes: 0 success, 1 failure, 2 invalid command line.

Examples:
  npm create pollux@latest
  npm create pollux@latest my-chat -- --template web
  pnpm create pollux desk --template web --operator --no-install
`;

/** The command line. */
export interface Options {
  /** Undefined to ask for it. */
  readonly folder: string | undefined;
  /** Undefined to ask for it. */
  readonly template: Template | undefined;
  /** Undefined to ask for it. */
  readonly operator: boolean | undefined;
  /** Undefined to ask for it. */
  readonly packageManager: PackageManager | undefined;
  readonly yes: boolean;
  readonly install: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** An invalid command line; the message says why. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [folder, extra] = positionals;
  // npm keeps options that do not follow "--", and passes only their values on.
  if (extra !== undefined)
    throw new UsageError(`Unexpected argument "${extra}": name one folder, and with npm, put "--" in front of options`);
  if (folder?.trim() === "") throw new UsageError("FOLDER must not be empty");
  const { template, operator, "package-manager": packageManager } = values;
  if (template !== undefined && !isTemplate(template))
    throw new UsageError(`--template must be one of ${TEMPLATE_NAMES.join(", ")}, not "${template}"`);
  if (operator === true && template !== "web") throw new UsageError("--operator is for --template web");
  if (packageManager !== undefined && !isPackageManager(packageManager))
    throw new UsageError(`--package-manager must be one of ${PACKAGE_MANAGERS.join(", ")}, not "${packageManager}"`);
  return {
    folder,
    template,
    operator,
    packageManager,
    yes: values.yes === true,
    install: values["no-install"] !== true,
    help: values.help === true,
    version: values.version === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        template: { type: "string", short: "t" },
        operator: { type: "boolean" },
        "package-manager": { type: "string", short: "p" },
        yes: { type: "boolean", short: "y" },
        "no-install": { type: "boolean" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
