import { obey } from "./asked-process.ts";
import { LocalRival } from "./local-rival.ts";
import type { RivalProtocol } from "./remote-rival.ts";
import type { SharedStore } from "./rival-messages.ts";
import { openShared } from "./shared-store.ts";

// A process that works on sessions in parallel to another. Started by `startRival`.

const { store } = openShared(JSON.parse(process.argv[2] ?? "") as SharedStore);
const held = new Map<string, () => void>();
const rival = new LocalRival(store, async (id) => {
  const letGo = new Promise<void>((resolve) => held.set(id, resolve));
  tell({ held: id });
  await letGo;
});

const tell = obey<RivalProtocol>(async (request) => {
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
});
