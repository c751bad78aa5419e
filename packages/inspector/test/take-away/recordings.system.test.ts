import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { findRefusal } from "../../src/checks/check-request.ts";
import { ExchangeFold } from "../../src/inspection/exchange-fold.ts";
import { readRecording } from "../../src/inspection/recording.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { TAKE_AWAYS, takeAway } from "../../src/take-away/take-away.ts";

const FOLDER = resolve(import.meta.dirname, "../../../../../shared/recordings");

describe.skipIf(!existsSync(FOLDER))("recordings of other projects (skipped where they are absent)", () => {
  test("of each, everything can be exported and every request checked", async () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
    let accepted = 0;
    let answered = 0;
    for (const name of files) {
      const session = readRecording(JSON.parse(readFileSync(join(FOLDER, name), "utf8")));
      const fold = new SessionFold(name);
      for (const entry of session.entries) fold.add(entry);
      const exchanges = new ExchangeFold();
      exchanges.add(session.exchanges);
      for (const what of TAKE_AWAYS) {
        const taken = takeAway(what, { fold, exchanges }, { n: 0 });
        expect(
          taken?.files.every(({ text }) => text !== ""),
          `${what} of ${name}`,
        ).toBe(true);
      }
      for (const { n, status, method, url } of exchanges.rows) {
        const request = exchanges.details(n)?.request;
        // Only requests that the service is known to have accepted, at a known address.
        if (request === undefined || status !== 200 || !url.includes(":")) continue;
        answered++;
        if ((await findRefusal({ method, url, body: request.body })) === undefined) accepted++;
      }
    }
    expect(files.length).toBeGreaterThan(800);
    expect(answered).toBeGreaterThan(1000);
    // The rest is for models that no longer exist, or was truncated by its recorder.
    expect(accepted / answered).toBeGreaterThan(0.95);
  });
});
