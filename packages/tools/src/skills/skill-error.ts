/** What is wrong with one skill. */
export interface SkillProblem {
  /** Path of the file or folder. */
  readonly path: string;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** Skills that cannot be loaded. The message lists every problem, one per line. */
export class SkillError extends Error {
  override readonly name: string = "SkillError";
  readonly code: string = "skills";
  readonly problems: readonly SkillProblem[];

  constructor(problems: readonly SkillProblem[]) {
    const lines = problems.map(({ path, message }) => `${path}: ${message}`);
    super(lines.length === 1 ? lines[0] : `${lines.length} problems with skills:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}
