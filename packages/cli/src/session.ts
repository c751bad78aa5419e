import { statSync } from "node:fs";
import { eraseOwner, type SessionStore } from "@pollux/core";
import { checkSession, repairSession, sessionHistory, type SessionProblem } from "@pollux/core/doctor";
import {
  JsonlStore,
  openSessionFile,
  repairSessionFile,
  type SessionFile,
  type SessionFileRepair,
  SqliteStore,
  type StoredSession,
} from "@pollux/core/node";
import { type CliProcess, type Command, errorMessage, parseOptions, UsageError } from "./command.ts";
import { showSession } from "./show/show-session.ts";
import { inOneLine, printable, showsColor, widthOf } from "./terminal-text.ts";

const HELP = `Usage: pollux session show FILE [--session ID] [--thoughts] [--width COLUMNS | --json]
       pollux session check FILE [--session ID]
       pollux session repair FILE [--session ID] [--in-place]
       pollux session erase STORE --owner ID [--exchanges STORE]

Show, check, repair and erase stored sessions. FILE is the .jsonl file of a JsonlStore session, or the file of a
SqliteStore. STORE is the file of a SqliteStore, or the folder of a JsonlStore.

  show      print the conversation
  check     list the problems of a session, and what a repair would do about them
  repair    write FILE.repaired, which can be opened and continued, and list what is lost
  erase     stop the runs of one owner, remove everything the store has about them, and count it

Options:
      --session ID      one session of an SQLite file; without it, check and repair handle all, and show lists them
      --thoughts        show: include the model's thought summaries
      --width COLUMNS   show: line width (default: the terminal's, or 100)
      --json            show: print the history as JSON, as it is sent
      --in-place        repair: change FILE itself, and keep the original as FILE.bak
      --owner ID        erase: whose sessions
      --exchanges STORE erase: where keepExchanges writes
  -h, --help            show this help

Exit codes: 0 no problems, 1 problems found (after a repair: some remain), 2 invalid command line or unusable file.

Examples:
  pollux session show sessions/order-17.jsonl
  pollux session check pollux-chats.sqlite
`;

/** Shows, checks and repairs the sessions of a file, and erases the sessions of an owner. */
export const sessionCommand: Command = { help: HELP, run: runSession };

/** Longest line of a report, in characters. */
const LINE = 1000;

async function runSession(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseSessionOptions(args);
  try {
    if (options.command === "erase") return print(await erase(options), terminal);
    if (options.command === "repair") {
      const repaired = await repairSessionFile(options.file, options);
      return print(reportRepair(repaired, options), terminal);
    }
    using file = await openSessionFile(options.file, { session: options.session });
    return options.command === "check" ? print(reportCheck(file, options), terminal) : show(file, options, terminal);
  } catch (error) {
    terminal.stderr.write(`pollux session: ${inOneLine(errorMessage(error), LINE)}\n`);
    return 2;
  }
}

interface Report {
  readonly lines: readonly string[];
  readonly code: number;
}

function print({ lines, code }: Report, { stdout }: CliProcess): number {
  for (const line of lines) stdout.write(`${inOneLine(line, LINE)}\n`);
  return code;
}

function reportCheck(file: SessionFile, { file: path }: SessionOptions): Report {
  const lines: string[] = [];
  let damaged = 0;
  for (const session of file.sessions) {
    const log = session.lines();
    const { problems, notes } = checkSession(log);
    for (const one of problems) lines.push(`${placeIn(file, session, one)}: ${one.problem}. Repair: ${one.remedy}`);
    for (const one of notes) lines.push(`${placeIn(file, session, one)}: note: ${one.problem}; ${one.remedy}`);
    const found = problems.length === 0 ? "ok" : count(problems.length, "problem");
    lines.push(`${titleOf(session)}: ${found}, ${log.length} entries`);
    if (problems.length > 0) damaged++;
  }
  if (damaged > 0) lines.push(`To repair them: pollux session repair ${path}`);
  else if (file.sessions.length === 0) lines.push("there are no sessions in it");
  return { lines, code: damaged > 0 ? 1 : 0 };
}

function reportRepair({ unit, repairs, written, backup }: SessionFileRepair, { inPlace }: SessionOptions): Report {
  const lines: string[] = [];
  let left = 0;
  for (const { id, entries, done, refused } of repairs) {
    const title = titleOf({ id });
    const prefix = id === undefined || repairs.length === 1 ? "" : `${title}, `;
    const problems = refused === undefined ? done : [refused, ...done];
    for (const { position, problem, remedy } of problems)
      lines.push(`${prefix}${place(unit, position)}: ${problem}: ${remedy}`);
    const rest = refused === undefined ? checkSession(entries.map((value) => ({ value }))).problems : [];
    for (const { problem } of rest) lines.push(`${title}: cannot be repaired: ${problem}`);
    if (problems.length === 0) lines.push(`${title}: nothing to repair`);
    left += rest.length + (refused === undefined ? 0 : 1);
  }
  if (written !== undefined)
    lines.push(inPlace ? `repaired ${written}; the original is ${backup}` : `written to ${written}`);
  return { lines, code: left > 0 ? 1 : 0 };
}

async function erase({ file, owner, exchanges: kept }: SessionOptions): Promise<Report> {
  using sessions = openStore(file);
  using exchanges = kept === undefined ? undefined : openStore(kept);
  const erased = await eraseOwner(owner ?? "", { store: sessions.store, exchanges: exchanges?.store });
  return { lines: Object.entries(erased).map(([kind, number]) => `${kind}: ${number}`), code: 0 };
}

/** Opens a store; never creates one. */
function openStore(path: string): Disposable & { readonly store: SessionStore } {
  if (statSync(path).isDirectory()) return { store: new JsonlStore(path), [Symbol.dispose]: () => {} };
  const store = new SqliteStore(path);
  return { store, [Symbol.dispose]: () => store.close() };
}

function show(file: SessionFile, options: SessionOptions, terminal: CliProcess): number {
  const { stdout, stderr } = terminal;
  const [session] = file.sessions;
  if (session === undefined || (file.sessions.length > 1 && options.session === undefined)) {
    for (const { id = "", length, updatedAt } of file.sessions)
      stdout.write(`${inOneLine(id, LINE)} ${length} entries, last written ${new Date(updatedAt).toISOString()}\n`);
    stderr.write(`pollux session: ${count(file.sessions.length, "session")}; show one with --session ID\n`);
    return 0;
  }
  const { entries, done, refused } = repairSession(session.lines());
  const problems = done.length + (refused === undefined ? 0 : 1);
  if (problems > 0)
    stderr.write(
      `pollux session: ${count(problems, "problem")}; shown as a repair would leave it. See: pollux session check ${printable(options.file)}\n`,
    );
  if (options.json) stdout.write(`${JSON.stringify(sessionHistory(entries), null, 2)}\n`);
  else {
    const width = options.width ?? (stdout.isTTY === true ? widthOf(terminal) : undefined);
    const { thoughts } = options;
    stdout.write(showSession(entries, { title: session.id, width, color: showsColor(terminal), thoughts }));
  }
  return problems > 0 ? 1 : 0;
}

function placeIn(file: SessionFile, session: StoredSession, { position }: SessionProblem): string {
  return `${file.sessions.length > 1 ? `${titleOf(session)}, ` : ""}${place(file.unit, position)}`;
}

/** Counts as the stores' errors do: lines of a file from 1, entries of a database from 0. */
function place(unit: "line" | "entry", position: number): string {
  return unit === "line" ? `line ${position + 1}` : `entry ${position}`;
}

function titleOf({ id }: Pick<StoredSession, "id">): string {
  return id === undefined ? "session" : `session ${id}`;
}

function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

interface SessionOptions {
  readonly command: "check" | "erase" | "repair" | "show";
  readonly file: string;
  /** Id of the session in an SQLite file; absent for all of them. */
  readonly session: string | undefined;
  readonly owner: string | undefined;
  readonly exchanges: string | undefined;
  readonly inPlace: boolean;
  readonly thoughts: boolean;
  readonly json: boolean;
  readonly width: number | undefined;
}

const COMMANDS: readonly SessionOptions["command"][] = ["check", "erase", "repair", "show"];

/** Which command supports an option. */
const ONLY = [
  ["in-place", "repair"],
  ["owner", "erase"],
  ["exchanges", "erase"],
  ["thoughts", "show"],
  ["json", "show"],
  ["width", "show"],
] as const;

function parseSessionOptions(args: readonly string[]): SessionOptions {
  const { values, positionals } = parseOptions(args, {
    session: { type: "string" },
    "in-place": { type: "boolean" },
    owner: { type: "string" },
    exchanges: { type: "string" },
    thoughts: { type: "boolean" },
    json: { type: "boolean" },
    width: { type: "string" },
  });
  const [named, file, ...more] = positionals;
  const command = COMMANDS.find((one) => one === named);
  if (command === undefined)
    throw new UsageError(
      named === undefined
        ? "Specify a command: show, check, repair or erase"
        : `Unknown command "${named}"; use show, check, repair or erase`,
    );
  if (file === undefined || file === "")
    throw new UsageError(`${command} needs a file: pollux session ${command} FILE`);
  if (more[0] !== undefined) throw new UsageError(`Unexpected argument "${more[0]}"; one file at a time`);
  for (const [option, only] of ONLY)
    if (values[option] !== undefined && command !== only)
      throw new UsageError(`--${option} works with ${only}, not with ${command}`);
  if (command === "erase" && (values.owner ?? "") === "")
    throw new UsageError("erase needs an owner: pollux session erase STORE --owner ID");
  if (command === "erase" && values.session !== undefined)
    throw new UsageError("erase removes all sessions of an owner; it cannot be combined with --session");
  if (values.json === true && (values.thoughts ?? values.width) !== undefined)
    throw new UsageError("--json prints the whole history; it cannot be combined with --thoughts or --width");
  return {
    command,
    file,
    session: values.session,
    owner: values.owner,
    exchanges: values.exchanges,
    inPlace: values["in-place"] === true,
    thoughts: values.thoughts === true,
    json: values.json === true,
    width: values.width === undefined ? undefined : parseWidth(values.width),
  };
}

function parseWidth(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 30 && number <= 10_000) return number;
  throw new UsageError(`--width must be an integer from 30 to 10000, not "${value}"`);
}
