/** `pnpm compare`: see `--help`, and docs/comparison.md for what the table means. */
import { parseArgs } from "node:util";
import { machine } from "../conditions.ts";
import { CASES } from "./all-cases.ts";
import { LIBRARY_NAMES, librariesOf } from "./libraries.ts";
import { type Results, tableOf, writePages } from "./page.ts";
import { runLibrary } from "./run-library.ts";
import { openStub } from "./stub.ts";

const HELP = `Usage: pnpm compare [options]

Plays answers of a bad day to Pollux and to other libraries, and prints a table of the outcomes for an application.
The other libraries are installed into a temporary folder, in the versions of bench/peers.ts.

  --libraries a,b  any of ${LIBRARY_NAMES.join(", ")} (default: all)
  --seen           also prints what was seen of each case, to stderr
  --docs           writes the table into docs/comparison.md, README.md and bench/compare/results.json
  --help
`;

try {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== "--"),
    options: {
      libraries: { type: "string" },
      seen: { type: "boolean", default: false },
      docs: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.docs && values.libraries !== undefined) throw new TypeError("--docs needs all libraries.");
  if (values.help) process.stdout.write(HELP);
  else await compare(values.libraries?.split(",") ?? LIBRARY_NAMES, values.seen, values.docs);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\nSee --help.\n`);
  process.exitCode = 2;
}

async function compare(names: readonly string[], seen: boolean, docs: boolean): Promise<void> {
  const libraries = await librariesOf(names, progress);
  const stub = await openStub();
  const columns: Results["libraries"][number][] = [];
  try {
    for (const library of libraries) {
      const { name, title } = library;
      progress(`play     ${name}`);
      const column = await runLibrary(library, CASES, stub, ({ id }, { asked, ...rest }) => {
        if (seen) progress(`${id}: ${asked.length} requests, ${JSON.stringify(rest)}`);
      });
      columns.push({ name, title, column });
    }
  } finally {
    stub.close();
  }
  const results: Results = { made: machine(), libraries: columns };
  process.stdout.write(`${tableOf(results)}\n`);
  if (docs) writePages(results);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
