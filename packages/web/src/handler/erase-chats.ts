import { type ErasedData, eraseOwner, type EraseOptions } from "@pollux/core";
import { ownerPrefix } from "./chats.ts";
import type { Serving } from "./serving.ts";
import { deletedPrefix } from "./spending.ts";

/** Removes all that is kept of an owner. */
export async function eraseChats<Context>(
  serving: Serving<Context>,
  owner: string,
  options: Omit<EraseOptions, "store">,
): Promise<ErasedData> {
  const { store } = serving.options;
  // Also those that wait for their turn.
  const runs = serving.sessions.runsOf(owner);
  for (const run of runs) run.abort();
  await Promise.all(runs.map((run) => run.over));
  const stopped = runs.filter(({ failure }) => failure !== undefined).length;
  const deletedConversations = await store.deleteSessions({ owner, prefix: deletedPrefix(owner) });
  const also: EraseOptions["also"] = async (...erasing) => {
    await Promise.all(erasing[1].map((id) => serving.readers.forget(id)));
    return await options.also?.(...erasing);
  };
  const erased = await eraseOwner(owner, { ...options, also, store });
  serving.sessions.forgetAll(ownerPrefix(owner));
  return { ...erased, deletedConversations, stoppedRuns: erased.stoppedRuns + stopped };
}
