// Appends to the session "shared" and writes each acknowledged append to standard output, line by line.
//   append.ts KIND PATH race WRITER TIMES   pairs of entries, competing with other writers: reads again after a conflict
//   append.ts KIND PATH forever             pairs of entries, until it is killed or the store fails
import { writeSync } from "node:fs";
import { SessionConflictError, SessionStoreError } from "@pollux/core/errors";
import { type Kind, openStore } from "./open-store.ts";

const [kind = "", path = "", mode = "", writer = "", times = "0"] = process.argv.slice(2);
// The tests name no others.
const store = openStore(kind as Kind, path, { lockTimeoutMs: 60_000 });

if (mode === "race") {
  for (let n = 0; n < Number(times);) {
    const { length } = await store.load("shared");
    try {
      await store.append("shared", length, [
        { writer, n, half: 1 },
        { writer, n, half: 2 },
      ]);
      print({ at: length, n });
      n++;
    } catch (error) {
      if (!(error instanceof SessionConflictError)) throw error;
    }
  }
} else {
  for (let { length } = await store.load("shared"); ; length += 2) {
    try {
      await store.append("shared", length, [
        { at: length, text: "x".repeat(3000) },
        { at: length + 1, text: "y".repeat(300) },
      ]);
      print({ length: length + 2 });
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      print({ failed: error.message, length: (await store.load("shared")).length });
      break;
    }
  }
}

function print(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
