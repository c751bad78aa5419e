import { globSync, readFileSync } from "node:fs";

/** Code of tests that changes or measures the whole process. */
const OF_THE_PROCESS = new RegExp(
  [
    /setupServer|globalDispatcher|diagnostics_channel/, // its requests
    /\bvi\.mock\(/, // its modules
    /memoryUsage|cpuUsage|getActiveResourcesInfo|createHook/, // its memory, time, timers and resources
    /getTimerCount|\/(?:conversation-checks|local-round)\.ts"/, // its timers, of which other files may have left some
    /\/count-processes\.ts"/, // its children, by a helper
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
