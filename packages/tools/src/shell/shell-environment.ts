/** Environment variables that every command gets. By convention, none of these is a secret. */
const PASSED_ON = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/** Nothing starts on Windows without these. */
const PASSED_ON_WINDOWS = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA"];

/** The environment of a command: the named variables of the program, and `TERM=dumb`. */
export function shellEnvironment(names: readonly string[]): Record<string, string> {
  const system = process.platform === "win32" ? PASSED_ON_WINDOWS : [];
  const passed = [...PASSED_ON, ...system, ...names].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), TERM: "dumb" };
}
