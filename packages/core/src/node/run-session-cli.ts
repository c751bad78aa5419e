import { readFile } from "node:fs/promises";
import { isObject } from "../internal/json.ts";
import { checkSession, repairSession } from "../doctor/repair-session.ts";
import type { SessionProblem } from "../doctor/read-lines.ts";
import { SessionView } from "../session/session-view.ts";
import { showSession } from "../doctor/show-session.ts";
import { inOneLine, printable } from "../doctor/page.ts";
import { LockTimeoutError } from "./file-lock.ts";
import { repairFile, type FileRepair } from "./repair-session-file.ts";
import { HELP, parseSessionCli, type SessionCliOptions, UsageError } from "./session-cli-options.ts";
import { type OpenedFile, openSessionFile } from "./session-file.ts";
import type { StoredSession } from "./stored-session.ts";

/** The parts of a process the command needs. */
export interface CliProcess {
  readonly stdout: {
    write(text: string): unknown;
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
  };
  readonly stderr: { write(text: string): unknown };
  readonly env: { readonly [name: string]: string | undefined };
}

/** Longest line of a report, in characters. */
const LINE = 1000;

/** Runs the command; gives the exit code: 0, 1 when there are problems, 2 for a command line or a file that cannot be used. */
export async function runSessionCli(args: readonly string[], terminal: CliProcess): Promise<number> {
  try {
    const options = parseSessionCli(args);
    if (options === "help") return say(HELP, 0);
    if (options === "version") return say(`${await version()}\n`, 0);
    if (options.command === "repair") return reportRepairs(options, await repairFile(options));
    using file = await openSessionFile(options.file, options.session);
    return options.command === "check" ? check(options, file) : show(options, file);
  } catch (error) {
    const hint = error instanceof UsageError ? "Try pollux-session --help\n" : "";
    terminal.stderr.write(`pollux-session: ${inOneLine(messageOf(error), LINE)}\n${hint}`);
    return 2;
  }

  function say(text: string, code: number): number {
    terminal.stdout.write(text);
    return code;
  }

  function line(text: string): void {
    terminal.stdout.write(`${inOneLine(text, LINE)}\n`);
  }

  function check({ file: path }: SessionCliOptions, file: OpenedFile): number {
    let damaged = 0;
    for (const stored of file.sessions()) {
      const { problems, notes } = checkSession(stored.lines);
      for (const one of problems) line(`${place(file, stored, one)}: ${one.problem}. Repair: ${one.remedy}`);
      for (const one of notes) line(`${place(file, stored, one)}: note: ${one.problem}; ${one.remedy}`);
      const many = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
      line(`${titleOf(stored)}: ${problems.length === 0 ? "ok" : many}, ${stored.lines.length} entries`);
      if (problems.length > 0) damaged++;
    }
    if (damaged > 0) line(`To mend what can be mended: pollux-session repair ${path}`);
    else if (file.count === 0) line("there are no sessions in it");
    return damaged > 0 ? 1 : 0;
  }

  function reportRepairs({ inPlace }: SessionCliOptions, { unit, repairs, written, kept }: FileRepair): number {
    let left = 0;
    for (const { id, repair } of repairs) {
      const title = titleOf({ id });
      const at = (position: number): string =>
        `${id === undefined || repairs.length === 1 ? "" : `${title}, `}${unitOf(unit, position)}`;
      if (repair.refused !== undefined) {
        line(`${at(repair.refused.position)}: ${repair.refused.problem}: ${repair.refused.remedy}`);
        left++;
      }
      for (const { position, problem, remedy } of repair.done) line(`${at(position)}: ${problem}: ${remedy}`);
      const rest =
        repair.refused === undefined ? checkSession(repair.entries.map((value) => ({ value }))).problems : [];
      for (const { problem } of rest) line(`${title}: this cannot be repaired: ${problem}`);
      left += rest.length;
      if (repair.refused === undefined && repair.done.length === 0) line(`${title}: nothing to repair`);
    }
    if (written !== undefined) {
      const log = inPlace ? `repaired ${written}; what was there before is ${kept}` : `written to ${written}`;
      line(log);
    }
    return left > 0 ? 1 : 0;
  }

  function show(options: SessionCliOptions, file: OpenedFile): number {
    if (file.count !== 1 && options.session === undefined) {
      for (const { id, length, updatedAt } of file.list())
        line(`${id} ${length} entries, last written ${new Date(updatedAt).toISOString()}`);
      terminal.stderr.write(`pollux-session: ${file.count} sessions; show one with --session ID\n`);
      return 0;
    }
    for (const stored of file.sessions()) {
      const { entries, done, refused } = repairSession(stored.lines);
      const problems = done.length + (refused === undefined ? 0 : 1);
      if (problems > 0)
        terminal.stderr.write(
          `pollux-session: ${problems} problems; this is what a repair would leave. See: pollux-session check ${printable(options.file)}\n`,
        );
      if (options.json) {
        const view = new SessionView();
        for (const entry of entries) view.add(entry);
        terminal.stdout.write(`${JSON.stringify(view.history(), null, 2)}\n`);
      } else {
        const { isTTY = false, columns } = terminal.stdout;
        const width = options.width ?? (isTTY ? columns : undefined);
        const color = isTTY && !terminal.env["NO_COLOR"] && terminal.env["TERM"] !== "dumb";
        terminal.stdout.write(showSession(entries, { title: stored.id, width, color, thoughts: options.thoughts }));
      }
      return problems > 0 ? 1 : 0;
    }
    return 0;
  }
}

function place(file: OpenedFile, stored: StoredSession, { position }: SessionProblem): string {
  return `${file.count > 1 ? `${titleOf(stored)}, ` : ""}${unitOf(file.unit, position)}`;
}

/** As the errors of the stores count: lines of a file from 1, entries of a database from 0. */
function unitOf(unit: "line" | "entry", position: number): string {
  return unit === "line" ? `line ${position + 1}` : `entry ${position}`;
}

function titleOf({ id }: Pick<StoredSession, "id">): string {
  return id === undefined ? "session" : `session ${id}`;
}

function messageOf(error: unknown): string {
  if (error instanceof LockTimeoutError)
    return `${error.held.file} is held by a process that writes to the session; try again`;
  return error instanceof Error ? error.message : String(error);
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  return isObject(manifest) ? String(manifest["version"]) : "unknown";
}
