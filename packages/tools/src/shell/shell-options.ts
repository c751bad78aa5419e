/** How {@link shellTool} runs commands. */
export interface ShellToolOptions {
  /** Folder that commands begin in. Relative paths count from the working directory. */
  readonly cwd: string;
  /** Program that gets `-c` and the command (`/d /s /c` on Windows). @defaultValue "/bin/sh", on Windows `cmd.exe` */
  readonly shell?: string | undefined;
  /** Milliseconds until a command is ended. @defaultValue 120_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds between the request to end and the kill. @defaultValue 2_000 */
  readonly graceMs?: number | undefined;
  /** Most bytes of output that the model reads: the beginning and the end of what is longer. @defaultValue 30_000 */
  readonly maxOutputBytes?: number | undefined;
  /**
   * Names of variables that commands see besides `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`, `LC_ALL`, `LC_CTYPE`,
   * `TZ`, `TMPDIR` and `TERM=dumb`. Everything else of the program's environment is kept from them.
   */
  readonly env?: readonly string[] | undefined;
  /** Whether a person has to agree first: always, or by the command. @defaultValue true */
  readonly needsApproval?: boolean | ((input: ShellInput) => boolean | Promise<boolean>) | undefined;
  /**
   * Says no to commands before anybody is asked: `false`, or the reason for the model. Called up to twice for a command; when
   * it throws, the command does not run. @defaultValue all are allowed
   */
  readonly allow?: ((command: string) => boolean | string | Promise<boolean | string>) | undefined;
}

/** What the model asks for. */
export interface ShellInput {
  readonly command: string;
}

/** What came of a command. */
export interface ShellResult {
  /** Absent when a signal ended it. */
  readonly exit_code?: number | undefined;
  /** The signal that ended it, such as `SIGTERM`. */
  readonly signal?: string | undefined;
  /** Stdout and stderr as they came, without terminal escapes; a note stands where something was left out. */
  readonly output: string;
  /** Bytes that were left out; absent when nothing was. */
  readonly dropped_bytes?: number | undefined;
  readonly duration_ms: number;
  /** Present when the command did not end by itself, or left processes running. */
  readonly note?: string | undefined;
}

/** What is reported as progress while a command runs; up to 1,000,000 characters of a command. */
export interface ShellOutput {
  readonly type: "shell-output";
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}
