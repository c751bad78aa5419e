import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SEED } from "./cut-bytes.ts";
import { MUTATIONS } from "./mutations.ts";
import type { Mutable } from "./mutate.ts";
import type { Recording } from "./recordings.ts";
import { readRecordings, recordingsFolder, whyAbsent } from "./recordings-folder.ts";
import { CHECKS, runCheck } from "./run-checks.ts";

const absent = whyAbsent(recordingsFolder());
const recordings = absent === undefined ? readRecordings(recordingsFolder()) : [];

/**
 * Defines tests of changed recordings.
 *
 * @param every - Uses every nth recording, different ones for each mutation and seed. `POLLUX_SAMPLE=1` uses all.
 */
export function testChanged(every: number): void {
  const step = Number(process.env["POLLUX_SAMPLE"] ?? every);
  const temporary = mkdtempSync(join(tmpdir(), "pollux-contract-"));
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  describe.skipIf(absent !== undefined)(`changed recordings${absent === undefined ? "" : ` (${absent})`}`, () => {
    test.each(MUTATIONS.map((mutation, index) => [mutation.name, mutation, index] as const))(
      "everything holds for %s",
      async (name, mutation, index) => {
        const sample = recordings.filter((_, at) => (at + index + Number(SEED)) % step === 0);
        const folder = join(temporary, String(index));
        for (const { file } of sample) {
          const value = JSON.parse(readFileSync(join(recordingsFolder(), file), "utf8")) as Mutable;
          mutation.mutate(value);
          mkdirSync(dirname(join(folder, file)), { recursive: true });
          writeFileSync(join(folder, file), JSON.stringify(value));
        }
        const changed = readRecordings(folder);
        expect(changed.map(({ file }) => file)).toEqual(sample.map(({ file }) => file));
        const checks = CHECKS.filter(({ id }) => mutation.except?.includes(id) !== true);
        const found: Record<string, unknown> = {};
        const expected: Record<string, unknown> = {};
        for (const check of checks) {
          const same = mutation.sameCounts?.includes(check.id) === true;
          const after = await runCheck(check, changed, []);
          found[check.id] = { failures: after.failures, ...(same && { checked: after.checked }) };
          expected[check.id] = { failures: [], ...(same && { checked: await counted(check, sample) }) };
        }
        expect(found, `${name}; POLLUX_SEED=${SEED}`).toEqual(expected);
      },
    );
  });
}

async function counted(check: (typeof CHECKS)[number], sample: readonly Recording[]): Promise<number> {
  return (await runCheck(check, sample, [])).checked;
}
