import { registerHooks } from "node:module";
import type { WorkerOrder, WorkerSaid, WorkerSetup } from "./worker-messages.ts";

// A worker of these tests, on the engine of its setup. Started by `startWorker`.

const setup = JSON.parse(process.env["POLLUX_WORKER"] ?? "{}") as WorkerSetup;

// The next release of the library: its loop has another order of steps.
if (setup.code === "new") {
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (!url.endsWith("/durable/run-log.ts")) return loaded;
      // A file is read as bytes.
      const source = Buffer.from(loaded.source as Uint8Array).toString();
      const newer = source.replace(/(?<=export const LOOP_VERSION = )\d+/, "999");
      if (newer === source) throw new Error(`${url} says no version of the loop`);
      return { ...loaded, source: newer };
    },
  });
}

function say(said: WorkerSaid): void {
  process.send?.(said);
}

process.on("disconnect", () => process.exit());
const { on } = setup;
const { serve } = await (on.kind === "restate"
  ? import("./serve-on-restate.ts")
  : on.kind === "dbos"
    ? import("./serve-on-dbos.ts")
    : import("./serve-on-journals.ts"));
const worker = await serve(setup as never, say);
process.on("message", (order: WorkerOrder) => worker.obey(order));
say({ is: "ready", port: worker.port });
