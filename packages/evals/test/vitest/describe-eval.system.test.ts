import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const PACKAGES = new URL("../../../", import.meta.url).href;
const VITEST = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const POLLUX = fileURLToPath(new URL("cli/src/main.ts", PACKAGES));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-describe-eval-"));
  await write(
    "vitest.config.mjs",
    `const conditions = ["pollux-source", "node", "module"];
export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { env: { POLLUX_LOG: "silent" } } };
`,
  );
  await write(
    "support.eval.ts",
    `import { readFileSync } from "node:fs";
import { Agent } from "${PACKAGES}core/src/index.ts";
import { say, ScriptedModel } from "${PACKAGES}core/src/testing/index.ts";
import { defineEval } from "${PACKAGES}evals/src/index.ts";

function reply({ contents }) {
  return say(JSON.parse(readFileSync(new URL("answers.json", import.meta.url), "utf8"))[contents.at(-1).parts[0].text]);
}

export default defineEval("support", {
  agent: () => new Agent({ model: new ScriptedModel(reply) }),
  scorers: [function saysYes({ text }) { return text === "yes"; }],
  data: [{ id: "refund", input: "refund" }, { id: "policy", input: "policy" }],
});
`,
  );
  await describe("");
  await answer({ refund: "yes", policy: "yes" });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(file: string, text: string): Promise<void> {
  await writeFile(join(folder, file), text);
}

async function answer(answers: Readonly<Record<string, string>>): Promise<void> {
  await write("answers.json", JSON.stringify(answers));
}

/** Writes the test file. */
async function describe(options: string): Promise<void> {
  const suite = 'import support from "./support.eval.ts";\n';
  const head = `import { describeEval } from "${PACKAGES}evals/src/vitest/index.ts";\n`;
  await write("support.test.ts", `${head}${suite}describeEval(support${options});\n`);
}

async function node(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 120_000 });
}

/** What vitest says of the folder's tests: `passed`, `skipped`, or the message of the failure. */
async function tests(): Promise<Readonly<Record<string, string>>> {
  const out = join(folder, "out.json");
  // It ends with a code when a test fails.
  await node(VITEST, "run", "--reporter=json", `--outputFile=${out}`).catch(() => {});
  // As vitest's reporter writes it.
  const { testResults } = JSON.parse(await readFile(out, "utf8")) as {
    readonly testResults: readonly {
      readonly assertionResults: readonly {
        readonly fullName: string;
        readonly status: string;
        readonly failureMessages?: readonly string[];
      }[];
    }[];
  };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return Object.fromEntries(
    results.map(({ fullName, status, failureMessages = [] }) => [fullName, failureMessages[0] ?? status]),
  );
}

test("a suite is a test for each case and one for the gate, by the baseline that pollux eval wrote", async () => {
  expect(await tests()).toEqual({ "support refund": "passed", "support policy": "passed", "support gate": "passed" });
  await node("--conditions=pollux-source", POLLUX, "eval", "--update-baseline");
  expect(await tests()).toEqual({ "support refund": "passed", "support policy": "passed", "support gate": "passed" });
  await answer({ refund: "yes", policy: "no" });
  expect(await tests()).toEqual({
    "support refund": "passed",
    "support policy": expect.stringMatching(
      /^AssertionError: support, policy broke: 0 of 5, was 15 of 15\ntrials 1, 2, 3, 4, 5 failed: saysYes 0\n/,
    ),
    "support gate": expect.stringMatching(
      /^AssertionError: support: 2 cases, 10 trials, live[^]*\nWorse: 50 % pass, 100 % before; /,
    ),
  });
});

test("a new case that never passes is red, and a case that is left out is skipped", async () => {
  await answer({ refund: "no", policy: "yes" });
  expect(await tests()).toEqual({
    "support refund": expect.stringMatching(/^AssertionError: support, refund passed 0 of 5\n/),
    "support policy": "passed",
    "support gate": "passed",
  });
  await describe(', { world: "replay" }');
  expect(await tests()).toEqual({
    "support refund": "skipped",
    "support policy": "skipped",
    "support gate": expect.stringContaining("Incomplete: no case was tried."),
  });
});

test("a suite with a mistake, and a baseline that is none, are failures that say so", async () => {
  await write("support.baseline.json", "{}");
  const broken = expect.stringMatching(/^ConfigurationError: .*support\.baseline\.json: The baseline can't be read/);
  expect(await tests()).toEqual({ "support refund": broken, "support policy": broken, "support gate": broken });
});
