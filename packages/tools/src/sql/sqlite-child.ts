// A separate process per request: Node can't interrupt SQLite, but a process can be killed.
import { once } from "node:events";
import * as sqlite from "node:sqlite";
import { Worker } from "node:worker_threads";
import { answerRequest } from "./sqlite-answer.ts";
import { type SqliteLimits, type SqliteRequest, TOO_LARGE } from "./sqlite-request.ts";

/** Milliseconds between two checks of the memory. SQLite allocates about a megabyte per millisecond. */
const LOOK_MS = 10;

const received = once(process, "message") as Promise<[SqliteRequest]>;
// The parent passes its limits as JSON.
await guarded(JSON.parse(process.argv[2] ?? "") as SqliteLimits);
const [request] = await received;
process.send?.(answerRequest(sqlite, request), () => process.exit(0));

/**
 * Ends this process when its time is up or its memory too large, even while SQLite keeps this thread busy. Builds of SQLite in
 * Node don't count their memory, so SQLite's own heap limits have no effect.
 */
async function guarded({ lifeMs, maxMemoryBytes }: SqliteLimits): Promise<void> {
  const code = `
    setTimeout(() => process.kill(process.pid, "SIGKILL"), ${lifeMs});
    setInterval(() => {
      if (process.memoryUsage.rss() > ${maxMemoryBytes}) process.kill(process.pid, "${TOO_LARGE}");
    }, ${LOOK_MS});`;
  const worker = new Worker(code, { eval: true, stdout: true, stderr: true });
  await once(worker, "online");
  worker.unref();
}
