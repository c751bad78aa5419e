import type { Content } from "@pollux/core";
import { type KeptExchange, KeptExchanges } from "@pollux/core/exchanges";
import type { RecordedCall, Recording } from "@pollux/core/rehearsal";

/** Calls of the agents inside a run's calls, oldest first. A log does not have them, only the requests that were kept. */
export function nestedCalls({ exchanges }: Recording, runId: string): readonly RecordedCall[] {
  const kept = new KeptExchanges(exchanges);
  const within = new Set([runId]);
  /** The last request of a run has all that came before. */
  const last = new Map<string, KeptExchange>();
  for (const one of kept.exchanges) {
    if (one.parent?.callId === undefined || !within.has(one.parent.runId)) continue;
    within.add(one.runId);
    last.set(one.runId, one);
  }
  return [...last].flatMap(([nested, { position }]) => {
    // A request as this library built it.
    const body = JSON.parse(new TextDecoder().decode(kept.body(position))) as {
      readonly contents?: readonly Content[];
    };
    return callsOf(body.contents ?? [], nested);
  });
}

function callsOf(contents: readonly Content[], runId: string): readonly RecordedCall[] {
  return contents.flatMap(({ parts }, index) => {
    const responses = (contents[index + 1]?.parts ?? []).flatMap((part) => part.functionResponse ?? []);
    return parts
      .flatMap((part) => part.functionCall ?? [])
      .map(({ name, args = {} }, at): RecordedCall => {
        const { response } = responses[at] ?? {};
        return { runId, turn: 0, callId: "", name, args, ...(response !== undefined && { response }) };
      });
  });
}
