import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFile, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix, relative } from "node:path";
import { promisify } from "node:util";
import type { CodeVersion } from "./eval-run.ts";

/** Files that evals write themselves, as ends of pathspecs. They are not code: otherwise each run would change the version. */
const WRITTEN = ["glob)**/.pollux/**", "glob)**/*.baseline.json"];

/**
 * The code around a folder as git sees it, changes and new files included, without what evals write. The repository and its index stay as they are.
 * Outside of a repository, or without git, it is a random text without a commit, and no two runs have the same.
 *
 * @param written - Other files that are not code, such as reports; relative to the working directory, as is the folder.
 */
export async function codeVersion(folder: string = ".", written: readonly string[] = []): Promise<CodeVersion> {
  const wanted = ["--show-toplevel", "--git-path", "index", "--git-path", "objects", "--show-prefix"];
  const places = await git(folder, ["rev-parse", "--path-format=absolute", ...wanted]).catch(() => undefined);
  if (places === undefined) return { tree: randomUUID() };
  const [root = "", index = "", objects = "", prefix = ""] = places.split("\n");
  const commit = await git(root, ["rev-parse", "--verify", "HEAD"]).catch(() => undefined);
  const temporary = await mkdtemp(join(tmpdir(), "pollux-tree-"));
  // Git knows from its index which files are unchanged. What it writes goes to the temporary folder.
  const env = {
    GIT_INDEX_FILE: join(temporary, "index"),
    GIT_OBJECT_DIRECTORY: temporary,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
  };
  const files = written.map((file) => posix.join(prefix, relative(folder, file).replaceAll("\\", "/")));
  const left = [...WRITTEN, ...files.filter((file) => !file.startsWith("..")).map((file) => `literal)${file}`)];
  try {
    await copyIndex(index, env.GIT_INDEX_FILE);
    await git(root, ["add", "--all", "."], env);
    const others = left.map((end) => `:(exclude,${end}`);
    const changes = git(root, ["diff", "--cached", "--quiet", "HEAD", "--", ".", ...others], env);
    const hasChanges = await changes.then(
      () => false,
      () => true,
    );
    const all = left.map((end) => `:(${end}`);
    await git(root, ["rm", "--cached", "-r", "--force", "--quiet", "--ignore-unmatch", "--", ...all], env);
    const tree = await git(root, ["write-tree"], env);
    return { tree, ...(commit === undefined ? {} : { commit }), hasChanges };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** A repository has no index before the first `git add`. */
async function copyIndex(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => undefined);
  if (found === undefined) return;
  await copyFile(from, to);
  // Git looks into files that changed in the second in which the index was written. A younger index would hide their changes.
  const seconds = Math.floor(found.mtimeMs / 1000);
  await utimes(to, seconds, seconds);
}

async function git(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd, env: { ...process.env, ...env }, timeout: 60_000 };
  return (await promisify(execFile)("git", args, options)).stdout.trim();
}
