import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { KNOWN_DIFFERENCES, type KnownDifference } from "./known-differences.ts";
import { DOCS_PAGE, figuresOf, keptIn, publish } from "./published-figures.ts";
import { readFolder, recordingsFolder, whyAbsent } from "./recordings-folder.ts";
import { CHECKS, type CheckReport, describeReport, describeTotal, runCheck } from "./run-checks.ts";

/** The command's output: lines of the report, and lines about progress. */
export interface Output {
  readonly print: (line: string) => void;
  readonly tell: (line: string) => void;
}

export const HELP = `Holds Pollux and its emulator against recorded traffic of the Gemini API.

  pnpm contract [folder] [--known FILE] [--check ID]... [--docs]

folder        recordings, *.json at any depth (default: $POLLUX_RECORDINGS, else ../shared/recordings)
--known FILE  differences that are expected: a JSON list of { "check", "file", "reason" }; file may hold * and **
--check ID    only this check; may be repeated (${CHECKS.map(({ id }) => id).join(", ")})
--docs        writes the figures to docs/contract.md, if nothing differs
--help        this text

POLLUX_SEED=n cuts streams into the same pieces as the run that printed it.

For each check: how much was compared and what differs, what was held against what, each difference by file, which values are
gone by which rule, and what was left out and why. The last line sums up. The format of a recording: docs/contract.md; what is
normalized before comparing: test/contract/README.md.

Exit code 0: nothing differs but what is known. 1: something does. 2: wrong arguments, or nothing to check.

${CHECKS.map(({ id, claim }) => `${id.padEnd(14)}${claim}`).join("\n")}`;

/** Runs the command. @returns The exit code. */
export async function runCli(args: readonly string[], { print, tell }: Output): Promise<0 | 1 | 2> {
  let asked: Asked;
  try {
    asked = readArguments(args);
  } catch (error) {
    tell(`${error instanceof Error ? error.message : String(error)}\nSee pnpm contract --help.`);
    return 2;
  }
  if (asked.help) {
    print(HELP);
    return 0;
  }
  const absent = whyAbsent(asked.folder);
  if (absent !== undefined) {
    tell(`${absent}\n${HINT}`);
    return 2;
  }
  const { recordings, passedOver } = readFolder(asked.folder);
  const exchanges = recordings.reduce((sum, recording) => sum + recording.exchanges.length, 0);
  print(`${recordings.length} recordings with ${exchanges} exchanges in ${asked.folder}`);
  for (const { file, why } of passedOver) print(`       passed over, ${why}: ${file}`);
  if (exchanges === 0) {
    tell(`no recordings: no file in ${asked.folder} holds exchanges\n${HINT}`);
    return 2;
  }
  const reports: CheckReport[] = [];
  for (const check of CHECKS.filter(({ id }) => asked.checks.includes(id))) {
    const found = await runCheck(check, recordings, asked.known, progressOf(check.id, recordings.length, tell));
    // The known differences of the default folder don't apply to another one.
    const report = asked.ownFolder ? { ...found, gone: [] } : found;
    print(describeReport(report));
    reports.push(report);
  }
  print(describeTotal(recordings.length, exchanges, reports));
  if (reports.some(({ unknown, gone }) => unknown.length + gone.length > 0)) return 1;
  if (asked.docs) {
    publish(DOCS_PAGE, figuresOf(recordings, reports));
    publish(DOCS_PAGE, keptIn(reports), "kept");
  }
  return 0;
}

const HINT =
  "A recording is a JSON file with a list of exchanges, as recordFetch() of @pollux/emulator writes it: see docs/contract.md.";

interface Asked {
  readonly help: boolean;
  readonly docs: boolean;
  readonly folder: string;
  /** True for a folder from the command line: the list of known differences doesn't apply to it. */
  readonly ownFolder: boolean;
  readonly known: readonly KnownDifference[];
  readonly checks: readonly string[];
}

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    // A package manager may pass the separator on.
    args: args.filter((argument) => argument !== "--"),
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      docs: { type: "boolean", default: false },
      known: { type: "string" },
      check: { type: "string", multiple: true },
    },
  });
  if (positionals.length > 1) throw new Error(`one folder at a time, not ${positionals.length}`);
  if (values.docs && values.check !== undefined) throw new Error("--docs publishes the figures of every check");
  const ids = CHECKS.map(({ id }) => id);
  const unknown = values.check?.find((id) => !ids.includes(id));
  if (unknown !== undefined) throw new Error(`there is no check ${unknown}; there are ${ids.join(", ")}`);
  return {
    help: values.help,
    docs: values.docs,
    folder: positionals[0] ?? recordingsFolder(),
    ownFolder: positionals.length > 0,
    known: values.known === undefined ? KNOWN_DIFFERENCES : readKnown(values.known),
    checks: values.check ?? ids,
  };
}

function readKnown(file: string): readonly KnownDifference[] {
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`--known ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const words = ["check", "file", "reason"];
  const isList =
    Array.isArray(list) &&
    list.every((one: unknown) =>
      words.every((word) => typeof (one as Record<string, unknown> | null)?.[word] === "string"),
    );
  if (!isList) throw new Error(`--known ${file} is not a list of { "check", "file", "reason" }`);
  return list as readonly KnownDifference[];
}

/** Reports progress from time to time; nothing for a check that takes only a moment. */
function progressOf(id: string, all: number, tell: Output["tell"]): (done: number) => void {
  let saidAt = performance.now();
  return (done) => {
    if (performance.now() - saidAt < 2_000) return;
    saidAt = performance.now();
    tell(`     ${id}: ${done} of ${all} recordings`);
  };
}
