import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline/promises";
import { openPath } from "@pollux/inspector";
import { proposeCase, type ProposedCase, writeSessionCase } from "@pollux/evals";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { chooseSuite } from "./eval/find-suites.ts";
import { STORE } from "./inspect.ts";
import { keysIn, openExchanges } from "./serve-page.ts";
import { parseNumber } from "./serving.ts";
import { inOneLine } from "./terminal-text.ts";

const HELP = `Usage: pollux eval add SESSION [options]

Makes a case of a stored session: shows what the suite's scrub removes, makes the run again with the suite's
agent, and writes the case unless a request differs by a byte.

Options:
      --store PATH       folder of a JsonlStore or file of a SqliteStore (default ${STORE})
      --exchanges PATH   where keepExchanges writes (default: the folder "exchanges" beside PATH)
      --suite SUITE      file or name of the suite (default: the only one)
      --run ID           run to make again (default: the last one)
      --turn N           a fork begins at the Nth turn of the run
      --turns N          number of turns that a fork makes
      --id ID            name of the case, and of its folder in "cases" beside the suite (default: SESSION)
      --tag TAG          tag of the case; may be given more than once
  -y, --yes              write without asking
  -h, --help             show this help

Exit codes: 0 written, 1 not written, 2 invalid command line or suite.

Example:
  pollux eval add order-9 --store sessions --suite evals/support.eval.ts --turn 3
`;

/** Makes a case of a stored session. */
export const evalAddCommand: Command = { help: HELP, run: addCase };

async function addCase(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseAddOptions(args);
  const { suite, file } = await chooseSuite(options.suite);
  const folder = join(dirname(file), "cases", options.id);
  await using opened = await openPath(options.store);
  await using kept = await openExchanges(options.store, options.exchanges);
  const { session: sessionId, run: runId, turn, turns, tags } = options;
  const exchangesStore = kept?.store ?? opened.exchanges;
  const secrets = keysIn(terminal.env);
  const given = { sessionId, runId, turn, turns, tags, secrets };
  const proposed = await asUsage(() => proposeCase({ store: opened.store, exchangesStore, suite, ...given }));
  terminal.stdout.write(describe(proposed, options.session, relative("", folder)));
  if (proposed.problem !== undefined) {
    terminal.stderr.write(`pollux eval add: ${inOneLine(proposed.problem, 2000)}\nNothing was written.\n`);
    return 1;
  }
  if (!options.yes && !(await confirm(terminal))) {
    terminal.stderr.write("Nothing was written.\n");
    return 1;
  }
  await asUsage(() => writeSessionCase(folder, proposed.files));
  terminal.stdout.write(
    `Written. Add it to the data of "${suite.name}" in ${file}:\n\n  sessionCase(new URL("cases/${options.id}", import.meta.url)),\n`,
  );
  return 0;
}

/** Reports mistakes of an author or a command line as usage errors. */
async function asUsage<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** Changes that are shown. */
const MAX_SHOWN = 50;

function describe({ about, counts, differences, requests }: ProposedCase, session: string, folder: string): string {
  const shown = differences.slice(0, MAX_SHOWN).flatMap(({ where, was, is }) => {
    const change = was === is ? [`  ${is}`] : [`- ${was}`, `+ ${is}`];
    return [where, ...change.map((text) => `    ${text}`)];
  });
  const { texts, secrets, signatures, citations, media } = counts;
  const lines = [
    `${folder}: run ${about.runId} of ${about.agent} in ${session}, ${new Date(about.recordedAt).toISOString()}`,
    `${count(texts, "text")} changed, ${secrets} of them with a key; ${count(signatures, "signature")} taken out; ${count(citations, "citation")} moved`,
    ...(media > 0
      ? [`${count(media, "image or other file", "images or other files")} kept unchanged: check before you write`]
      : []),
    ...(texts === 0 ? ["scrub changes nothing: every text is kept"] : []),
    ...shown,
    ...(differences.length > MAX_SHOWN ? [`… and ${differences.length - MAX_SHOWN} more`] : []),
    `${count(requests, "request is", "requests are")} identical byte for byte`,
  ];
  // Leading spaces are ours.
  return lines.map((line) => `${/^ */.exec(line)?.[0] ?? ""}${inOneLine(line, 500)}\n`).join("");
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

async function confirm({ stdin, stdout }: CliProcess): Promise<boolean> {
  if (stdin.isTTY !== true) throw new UsageError("Nobody can confirm here: check the changes above, and add --yes");
  const input = createInterface({ input: stdin, output: stdout });
  try {
    return /^y(?:es)?$/i.test(await input.question("Write it? [y/N] "));
  } finally {
    input.close();
  }
}

function parseAddOptions(args: readonly string[]) {
  const { values, positionals } = parseOptions(args, {
    store: { type: "string", default: STORE },
    exchanges: { type: "string" },
    suite: { type: "string" },
    run: { type: "string" },
    turn: { type: "string" },
    turns: { type: "string" },
    id: { type: "string" },
    tag: { type: "string", multiple: true },
    yes: { type: "boolean", short: "y", default: false },
  });
  const [session = "", ...more] = positionals;
  if (session === "") throw new UsageError("Name the session: pollux eval add SESSION");
  if (more[0] !== undefined) throw new UsageError(`Unexpected argument "${more[0]}"; one session at a time`);
  const { tag: tags, id = session } = values;
  if (!/^[\w.-]{1,100}$/.test(id) || /^\.+$/.test(id))
    throw new UsageError(`"${id}" can't name a case; give it letters, digits, ".", "_" and "-" with --id`);
  return {
    ...values,
    session,
    id,
    tags,
    turn: values.turn === undefined ? undefined : parseNumber("--turn", values.turn, 999_999, 1),
    turns: values.turns === undefined ? undefined : parseNumber("--turns", values.turns, 999_999, 1),
  };
}
