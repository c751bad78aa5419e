import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Agent, type AnyTool, defineTool, type RunResult, type RunStream, type Session } from "@pollux/core";
import { type Brain, call, say } from "@pollux/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openWorld, type World } from "../support/world.ts";
import { INSTRUCTIONS, LOG_TOOLS, page, reading } from "./support/errand.ts";
import { eachStore, type OpenStore } from "./support/stores.ts";
import { billed, expectStablePrefix, prefixOf } from "./support/traffic.ts";

const folder = mkdtempSync(join(tmpdir(), "pollux-cost-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const stores = eachStore(folder);
const faces = ["run", "stream"] as const;

/** Like in another process: with another store object, agent and model. */
function sessionIn(world: World, { store }: OpenStore, id: string, tools: readonly AnyTool[] = LOG_TOOLS): Session {
  return new Agent({ model: world.model(), instructions: INSTRUCTIONS, tools }).session({ id, store });
}

async function readAll(face: string, stream: RunStream): Promise<RunResult> {
  if (face === "stream") for await (const _ of stream);
  return stream.result();
}

describe.each(stores)("a session in the %s store", (name, open) => {
  describe.each(faces)("by %s", (face) => {
    test("that is resumed, and then asked again, goes on from the bytes of its last request", async () => {
      await using world = await openWorld({ brain: reading(10) });
      const id = `resumed-${name}-${face}`;
      {
        await using store = open();
        const stream = sessionIn(world, store, id).stream("Read ten pages.", { limits: { turns: 5 } });
        expect(await readAll(face, stream)).toMatchObject({ stopReason: "limit" });
      }
      {
        await using store = open();
        const stream = sessionIn(world, store, id).resumeStream();
        expect(await readAll(face, stream)).toMatchObject({ stopReason: "finished", turns: 11 });
      }
      {
        await using store = open();
        await readAll(face, sessionIn(world, store, id).stream("And once more, please."));
      }
      const requests = billed(world);
      expect(requests).toHaveLength(22);
      expectStablePrefix(requests);
    });

    test("with a message during its run continues", async () => {
      const session: { current?: Session } = {};
      const tell = defineTool({
        name: "read_page",
        description: "Reads a page of the log.",
        input: z.object({ page: z.number() }),
        run: async ({ page: number }) => {
          if (number === 3 || number === 6) await session.current?.steer(`Be quick, it is past page ${number}.`);
          return page(number);
        },
      });
      await using world = await openWorld({ brain: counting(10) });
      await using store = open();
      session.current = sessionIn(world, store, `steered-${name}-${face}`, [tell]);
      await readAll(face, session.current.stream("Read ten pages."));
      const requests = billed(world);
      expect(requests).toHaveLength(11);
      expect(requests.map(({ body }) => body.split("Be quick").length - 1)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2]);
      expectStablePrefix(requests);
    });

    test("that is forked goes on in both", async () => {
      await using world = await openWorld({ brain: reading(5) });
      await using store = open();
      const session = sessionIn(world, store, `forked-${name}-${face}`);
      await readAll(face, session.stream("Read five pages."));
      const told = (await session.history()).length;
      await readAll(face, session.stream("And five more."));
      const fork = await session.fork({ contents: told });
      await readAll(face, fork.stream("Which was the best one?"));
      const requests = billed(world);
      expect(requests).toHaveLength(18);
      expectStablePrefix(requests, [12]);
      // The fork begins where the first run ended.
      const [before, forked] = [requests[5]!, requests[12]!];
      expect(forked.body.startsWith(prefixOf(before.body))).toBe(true);
      expect(forked.cached).toBeGreaterThanOrEqual(before.prompt);
    });
  });
});

describe.each(["jsonl", "sqlite"] as const)("a session in the %s store", (kind) => {
  test("that goes through three processes goes on from the bytes of its last request", async () => {
    await using world = await openWorld({ brain: reading(10) });
    const path = join(folder, `${kind}-processes`);
    const told: { readonly body: string; readonly answer: string }[] = [];
    for (const part of [["send", "Read ten pages."], ["resume"], ["send", "And once more."]]) {
      const program = fileURLToPath(new URL("take-part-process.ts", import.meta.url));
      const flags = ["--conditions=pollux-source", "--disable-warning=ExperimentalWarning"];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...flags, program, kind, path, world.url, ...part],
        { maxBuffer: 64 * 1024 * 1024 },
      );
      told.push(
        ...stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as (typeof told)[0]),
      );
    }
    const requests = billed({ bodies: told.map(({ body }) => body), answers: told.map(({ answer }) => answer) });
    expect(requests).toHaveLength(15);
    expectStablePrefix(requests);
  });
});

/** Reads a number of pages, counting answered calls: messages in between start no new question. */
function counting(pages: number): Brain {
  return {
    answer({ request }) {
      const parts = request.contents.flatMap((content) => content.parts);
      const answered = parts.filter((part) => part.functionResponse !== undefined).length;
      return answered < pages ? call("read_page", { page: answered + 1 }) : say("Done.");
    },
  };
}
