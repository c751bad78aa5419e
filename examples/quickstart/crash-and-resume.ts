import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Connection } from "@pollux/cli";
import type { Session, Usage } from "@pollux/core";
import { applyUpdate, type Conversation, watchConversation } from "@pollux/core/conversation";
import type { Screen } from "./screen.ts";
import { bookingsFile, openTrip, REQUEST } from "./trip.ts";

/** Starts a run in a process, kills that process in the middle of a tool, and resumes the run in another process. */
export async function crashAndResume(connection: Connection, model: string, screen: Screen): Promise<Usage> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-trip-"));
  try {
    const start = (how: "killed" | "finishes"): Child => startProcess([folder, model, how], connection);
    const session = openTrip({ folder, endpoint: connection.endpoint, model });
    screen.question(REQUEST);

    const first = start("killed");
    screen.printer.note(`process ${first.pid} starts`);
    // Without a call of book_train, the process ends by itself.
    const isBookingTrain = await Promise.race([once(first, "message"), once(first, "exit").then(() => undefined)]);
    if (isBookingTrain !== undefined) {
      await callsBefore(session, "book_train");
      const exit = once(first, "exit");
      first.kill("SIGKILL");
      await exit;
      screen.failure(`process ${first.pid} is killed while it books the train`);

      const second = start("finishes");
      screen.printer.note(`process ${second.pid} resumes what the session holds`);
      await once(second, "exit");
    } else {
      screen.failure(`process ${first.pid} ended without a call of book_train: no crash this time`);
    }
    screen.success(await countBookings(folder));
    return (await session.state()).usage;
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Child = ReturnType<typeof spawn>;

function startProcess(args: readonly string[], { emulated, endpoint }: Connection): Child {
  const program = fileURLToPath(new URL("trip-process.ts", import.meta.url));
  return spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    // One emulator answers both processes.
    env: emulated ? { ...process.env, GOOGLE_GEMINI_BASE_URL: endpoint.baseUrl } : process.env,
  });
}

/** Waits until the outcomes of all calls before this one are in the store, which any process can watch. */
async function callsBefore(session: Session, name: string): Promise<void> {
  let conversation: Conversation | undefined;
  for await (const update of watchConversation(session)) {
    conversation = applyUpdate(conversation, update);
    const calls = conversation.messages.flatMap(({ parts }) => parts.filter((part) => part.type === "tool-call"));
    const at = calls.findIndex((call) => call.name === name);
    if (at >= 0 && calls.slice(0, at).every(({ state }) => state === "done" || state === "failed")) return;
  }
}

/** How often each tool ran, and with which keys. */
async function countBookings(folder: string): Promise<string> {
  const text = await readFile(bookingsFile(folder), "utf8").catch(() => "");
  const runs = text.trim().split("\n");
  return [...new Set(runs)]
    .map((run) => {
      const [name, , key] = run.split(" ");
      const times = runs.filter((one) => one === run).length;
      return times === 1
        ? `${name} ran once`
        : `${name} ran ${times} times, always with the key ${key?.split("/").at(-1)}`;
    })
    .join("; ");
}
