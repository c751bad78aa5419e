import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../programs/stalled-readers.ts", import.meta.url));

test.each(["/c1", "/c1/stream?ended"])(
  "a thousand clients that ask for %s, of 4 MB, and never read take 200 MB at most",
  { timeout: 600_000 },
  async (path) => {
    const args = ["--expose-gc", "--conditions=pollux-source", program, path, "1000"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    // The program prints it.
    const { megabytes } = JSON.parse(stdout) as { readonly megabytes: number };
    expect(megabytes).toBeLessThanOrEqual(200);
  },
);
