import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { readRecordings, recordingsFolder, whyAbsent } from "./recordings.ts";
import { CHECKS, describeReport, runCheck } from "./run-checks.ts";

// node --conditions=pollux-source test/contract/cli.ts [folder]
const [given] = process.argv.slice(2);
const folder = given ?? recordingsFolder();
const absent = whyAbsent(folder);
if (absent === undefined) {
  const recordings = readRecordings(folder);
  console.log(`${recordings.length} recordings in ${folder}`);
  for (const check of CHECKS) {
    const found = await runCheck(check, recordings, KNOWN_DIFFERENCES);
    // Another folder need not hold what is known of the usual one.
    const report = given === undefined ? found : { ...found, gone: [] };
    console.log(describeReport(report));
    if (report.unknown.length + report.gone.length > 0) process.exitCode = 1;
  }
} else {
  console.error(absent);
  process.exitCode = 1;
}
