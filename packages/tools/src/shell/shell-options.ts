/** How {@link shellTool} runs commands. */
export interface ShellToolOptions {
  /** Folder in which commands start. Relative paths are resolved against the working directory. */
  readonly cwd: string;
  /** Program that gets `-c` and the command (`/d /s /c` on Windows). @defaultValue "/bin/sh", on Windows `cmd.exe` */
  readonly shell?: string | undefined;
  /** Milliseconds until a command is stopped. @defaultValue 120_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL. @defaultValue 2_000 */
  readonly graceMs?: number | undefined;
  /** Most bytes of output that the model reads; longer output keeps its beginning and end. @defaultValue 30_000 */
  readonly maxOutputBytes?: number | undefined;
  /**
   * Names of environment variables that commands get besides `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`, `LC_ALL`,
   * `LC_CTYPE`, `TZ`, `TMPDIR` and `TERM=dumb`. They get no other variables of the program.
   */
  readonly env?: readonly string[] | undefined;
  /**
   * Whether commands run in user and process namespaces of their own (Linux). There, they see only their own processes and cannot
   * read this program's environment and memory, or those of your other programs. It is not a sandbox: files and network stay
   * reachable. `sudo` and other programs that change the user don't work in it, and the owner of files cannot be changed. With
   * `true`, no command runs where this is impossible. With `"auto"`, commands run in namespaces where the system allows that
   * without privileges and the program's user isn't root.
   *
   * @defaultValue "auto"
   */
  readonly isolateProcesses?: boolean | "auto" | undefined;
  /** Whether a person must approve first: always, or depending on the command. @defaultValue true */
  readonly needsApproval?: boolean | ((input: ShellInput) => boolean | Promise<boolean>) | undefined;
  /**
   * Refuses commands before approval is requested: returns `false`, or the reason for the model. Called up to twice per command;
   * if it throws, the command doesn't run. @defaultValue all are allowed
   */
  readonly allow?: ((command: string) => boolean | string | Promise<boolean | string>) | undefined;
}

/** The model's input. */
export interface ShellInput {
  readonly command: string;
}

/** The result of a command. */
export interface ShellResult {
  /** Absent if a signal ended it; with `isolateProcesses`, 128 and the number of the signal instead. */
  readonly exit_code?: number | undefined;
  /** The signal that ended it, such as `SIGTERM`. */
  readonly signal?: string | undefined;
  /** Stdout and stderr in the order they came, without terminal escapes; a note marks what was dropped. */
  readonly output: string;
  /** Bytes that were dropped; absent if none were. */
  readonly dropped_bytes?: number | undefined;
  readonly duration_ms: number;
  /** Present if the command did not end on its own, or left processes running. */
  readonly note?: string | undefined;
}

/** Progress while a command runs; up to 1,000,000 characters per command. */
export interface ShellOutput {
  readonly type: "shell-output";
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}
