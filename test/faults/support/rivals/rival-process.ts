import { flushCompileCache } from "node:module";
import { LocalRival } from "./local-rival.ts";
import type { RivalAnswer, RivalRequest } from "./remote-rival.ts";
import type { SharedStore } from "./rival-messages.ts";
import { openShared } from "./shared-store.ts";

// A process that works on sessions beside another. Started by `startRival`.

const { store } = openShared(JSON.parse(process.argv[2] ?? "") as SharedStore);
const held = new Map<string, () => void>();
const rival = new LocalRival(store, async (id) => {
  const letGo = new Promise<void>((resolve) => held.set(id, resolve));
  say({ held: id });
  await letGo;
});

function say(answer: RivalAnswer): void {
  process.send?.(answer);
}

async function obey(request: RivalRequest): Promise<unknown> {
  switch (request.do) {
    case "prepare":
      return await rival.prepare(request.preparation);
    case "act":
      return await rival.act(request.order);
    case "settle":
      return await rival.settle(request.id);
    case "let go":
      held.get(request.id)?.();
      return undefined;
  }
}

process.on("unhandledRejection", (error) => say({ unheard: String(error) }));
process.on("message", ({ number, ...request }: RivalRequest & { readonly number: number }) => {
  void obey(request).then(
    (value) => say({ number, value }),
    (error: unknown) => say({ number, failed: String(error instanceof Error ? error.stack : error) }),
  );
});
process.on("disconnect", () => process.exit());
flushCompileCache();
say({ ready: true });
