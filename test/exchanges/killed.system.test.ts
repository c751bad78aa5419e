import { spawn } from "node:child_process";
import { once } from "node:events";
import { readExchanges } from "@pollux/core/exchanges";
import { JsonlStore } from "@pollux/core/node";
import { calls, say } from "@pollux/emulator";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../packages/core/test/helpers/store-process.ts";
import { until } from "../../packages/core/test/helpers/until.ts";
import { bundledProgram } from "../support/bundled-program.ts";
import { openByteService } from "../support/byte-service.ts";
import { byStep } from "../support/trip.ts";

const PROGRAM = bundledProgram(new URL("programs/keep.ts", import.meta.url));

test.each([0, 3, 10, 25])(
  "a process killed %i requests after its first exchange was kept leaves whole exchanges, up to one that it sent",
  async (requests) => {
    const look = () => calls({ name: "look", args: {} });
    await using service = await openByteService({ brain: byStep(look, look, () => say("Seen.")) });
    const folder = temporaryFolder();
    const args = ["--conditions=pollux-source", PROGRAM, service.url, folder];
    // The second process continues the first one's log.
    for (const _ of ["first", "second"]) {
      const before = await countKept(folder);
      const program = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
      // A run doesn't wait for the store, and a slow disk may have half an entry first.
      await expect.poll(() => countKept(folder)).toBeGreaterThan(before);
      const count = service.received.length + requests;
      await until(() => service.received.length >= count);
      program.kill("SIGKILL");
      await once(program, "exit");
    }
    const kept = await readExchanges(new JsonlStore(folder), "r");
    expect(kept.unreadable).toEqual([]);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    const sent = new Set(service.received.map(String));
    for (const { position } of kept.exchanges) expect(sent).toContain(Buffer.from(kept.body(position)).toString());
  },
);

async function countKept(folder: string): Promise<number> {
  return (await readExchanges(new JsonlStore(folder), "r")).length;
}
