import { globSync, readFileSync } from "node:fs";

/** What a test does to its whole process, or measures of it. */
const OF_THE_PROCESS = new RegExp(
  [
    /setupServer|globalDispatcher|diagnostics_channel/, // its requests
    /stubGlobal|stubEnv|globalThis\.\w+ = |process\.env\b|process\.(on|once)\b/, // its globals, variables and listeners
    /useFakeTimers|spyOn\((globalThis|process|console|Math|Date)\b/, // its clock and its built-ins
    /\/(fake-time|stop-clock|made-up-time)\.ts"/, // its clock, by a helper
    /memoryUsage|[cC]puUsage|getActiveResourcesInfo|createHook/, // its memory, time, timers and resources
    /\/(growth|count-processes)\.ts"/, // its time and its children, by a helper
    /@vitest-environment/, // its document
    /setGlobal|observeAllRuns|@opentelemetry/, // its telemetry
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** The files among those of some patterns whose tests need a process of their own, relative to a folder. */
export function filesThatNeedAProcess(patterns: readonly string[], exclude: readonly string[], cwd: string): string[] {
  return globSync([...patterns], { cwd, exclude: [...exclude] })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => OF_THE_PROCESS.test(readFileSync(`${cwd}/${file}`, "utf8")))
    .toSorted();
}
