import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Ended, type FakeOptions, runHere } from "../support.ts";

/** The answers of {@link EvalFolder}'s agent by question: nothing for one that never comes. */
export type Answers = Readonly<Record<string, string | null>>;

const SOURCES = new URL("../../../", import.meta.url).href;

/** A folder of suites, whose agent answers what a file says that git ignores. */
export class EvalFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<EvalFolder> {
    const folder = new EvalFolder(await mkdtemp(join(tmpdir(), "pollux-eval-")));
    await folder.write(".gitignore", "answers.json\n*.log\n");
    await folder.answer({ refund: "yes", policy: "yes" });
    return folder;
  }

  /** Makes it a repository, whose code can be told from another version of it. */
  initGit(): void {
    execFileSync("git", ["init", "--quiet"], { cwd: this.path });
  }

  /** What its suites ask, one line each. */
  async asked(): Promise<readonly string[]> {
    const text = await this.read("asked.log").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  async answer(answers: Answers): Promise<void> {
    await this.write("answers.json", JSON.stringify(answers));
  }

  /** @param options - Further options of the suite, as source text. */
  async suite(name: string, options = "", file = `${name}.eval.ts`): Promise<string> {
    return await this.write(file, suiteText(name, options));
  }

  /** Runs the command on all suites of the folder, unless the arguments name files; its store is in the folder as well. */
  async eval(args: readonly string[] = [], options: FakeOptions = {}): Promise<Ended> {
    return await runHere(this.args(args), options);
  }

  args(args: readonly string[] = []): readonly string[] {
    return ["eval", this.path, "--store", join(this.path, ".pollux/evals.sqlite"), ...args];
  }

  at(file: string): string {
    return join(this.path, file);
  }

  async read(file: string): Promise<string> {
    return await readFile(this.at(file), "utf8");
  }

  async write(file: string, text: string): Promise<string> {
    await mkdir(dirname(this.at(file)), { recursive: true });
    await writeFile(this.at(file), text);
    return this.at(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A suite of the cases refund and policy, which pass if the answer has a "yes". */
function suiteText(name: string, options: string): string {
  return `import { appendFileSync, readFileSync } from "node:fs";
import { Agent } from "${SOURCES}core/src/index.ts";
import { costs, hangs, join, say, ScriptedModel } from "${SOURCES}core/src/testing/index.ts";
import { defineEval, matches } from "${SOURCES}evals/src/index.ts";

function reply({ contents }) {
  const question = contents.at(-1).parts[0].text;
  appendFileSync(new URL("asked.log", import.meta.url), question + "\\n");
  const answer = JSON.parse(readFileSync(new URL("answers.json", import.meta.url), "utf8"))[question];
  return answer === null ? hangs("") : join(costs({ promptTokenCount: 1000 }), say(answer));
}

const suite = defineEval("${name}", {
  agent: () => new Agent({ model: new ScriptedModel(reply), prices: { input: 10, output: 10 } }),
  trials: 3,
  baselineTrials: 6,
  concurrency: 1,
  scorers: [matches(/yes/)],
  data: [
    { id: "refund", input: "refund", tags: ["money"] },
    { id: "policy", input: "policy" },
  ],
  ${options}
});
export default suite;
`;
}
