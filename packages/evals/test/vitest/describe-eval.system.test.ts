import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const PACKAGES = new URL("../../../", import.meta.url).href;
const VITEST = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const POLLUX = fileURLToPath(new URL("cli/src/main.ts", PACKAGES));

let folder: string;
/** By suite: what vitest said of each of its tests: `passed`, `skipped`, or the message of the failure. */
let tests: Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Each suite has a folder of its own; one vitest runs them all. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-describe-eval-"));
  await writeFile(
    join(folder, "vitest.config.mjs"),
    `const conditions = ["pollux-source", "node", "module"];
export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { env: { POLLUX_LOG: "silent" } } };
`,
  );
  await suite("unknown", { refund: "yes", policy: "yes" });
  await suite("known", { refund: "yes", policy: "yes" });
  await node(join(folder, "known"), "--conditions=pollux-source", POLLUX, "eval", "--update-baseline");
  await cp(join(folder, "known"), join(folder, "broke"), { recursive: true });
  await answer("broke", { refund: "yes", policy: "no" });
  await suite("never", { refund: "no", policy: "yes" });
  await suite("left-out", { refund: "yes", policy: "yes" }, ', { world: "replay" }');
  await suite("mistaken", { refund: "yes", policy: "yes" });
  await writeFile(join(folder, "mistaken", "support.baseline.json"), "{}");
  tests = await runTests();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a suite, its test file with these options, and what its agent answers. */
async function suite(name: string, answers: Readonly<Record<string, string>>, options = ""): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(
    join(folder, name, "support.eval.ts"),
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
  await writeFile(
    join(folder, name, "support.test.ts"),
    `import { describeEval } from "${PACKAGES}evals/src/vitest/index.ts";
import support from "./support.eval.ts";
describeEval(support${options});
`,
  );
  await answer(name, answers);
}

async function answer(name: string, answers: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(join(folder, name, "answers.json"), JSON.stringify(answers));
}

async function node(cwd: string, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, args, { cwd });
}

async function runTests(): Promise<typeof tests> {
  const out = join(folder, "out.json");
  // It ends with a code when a test fails.
  await node(folder, VITEST, "run", "--reporter=json", `--outputFile=${out}`).catch(() => {});
  // As vitest's reporter writes it.
  const { testResults } = JSON.parse(await readFile(out, "utf8")) as {
    readonly testResults: readonly {
      readonly name: string;
      readonly assertionResults: readonly {
        readonly fullName: string;
        readonly status: string;
        readonly failureMessages?: readonly string[];
      }[];
    }[];
  };
  return Object.fromEntries(
    testResults.map(({ name, assertionResults }) => [
      basename(dirname(name)),
      Object.fromEntries(
        assertionResults.map(({ fullName, status, failureMessages = [] }) => [fullName, failureMessages[0] ?? status]),
      ),
    ]),
  );
}

test("a suite is a test for each case and one for the gate, by the baseline that pollux eval wrote", () => {
  const passed = { "support refund": "passed", "support policy": "passed", "support gate": "passed" };
  expect(tests).toMatchObject({ unknown: passed, known: passed });
  expect(tests["broke"]).toEqual({
    "support refund": "passed",
    "support policy": expect.stringMatching(
      /^AssertionError: support, policy broke: 0 of 5, was 15 of 15\ntrials 1, 2, 3, 4, 5 failed: saysYes 0\n/,
    ),
    "support gate": expect.stringMatching(
      /^AssertionError: support: 2 cases, 10 trials, live[^]*\nWorse: 50% pass, 100% before; /,
    ),
  });
});

test("a new case that never passes is red, and a case that is left out is skipped", () => {
  expect(tests["never"]).toEqual({
    "support refund": expect.stringMatching(/^AssertionError: support, refund passed 0 of 5\n/),
    "support policy": "passed",
    "support gate": "passed",
  });
  expect(tests["left-out"]).toEqual({
    "support refund": "skipped",
    "support policy": "skipped",
    "support gate": expect.stringContaining("Incomplete: no case was tried."),
  });
});

test("a suite with a mistake, and a baseline that is none, are failures that say so", () => {
  const broken = expect.stringMatching(/^ConfigurationError: .*support\.baseline\.json: The baseline can't be read/);
  expect(tests["mistaken"]).toEqual({ "support refund": broken, "support policy": broken, "support gate": broken });
});
