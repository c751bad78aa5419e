import type { Content } from "@pollux/core";
import { type Answer, type Brain, type BrainTurn, calls, join, say } from "@pollux/emulator";
import { callOf, DONE, type Errand, GO, receipt, receiptsIn } from "./errand.ts";

/**
 * A brain that calls items without a receipt, in the order of the errand. It repeats failed calls, and can get the same request
 * twice.
 */
export function errandBrain(errand: Errand): Brain {
  return {
    answer: ({ request }: BrainTurn): Answer => {
      const got = receiptsIn(sinceGo(request.contents));
      for (const turn of errand) {
        const open = turn.filter((one) => !got.includes(receipt(one)));
        if (open.length > 0) {
          return join(say("On it."), calls(...open.map(callOf)));
        }
      }
      return say(DONE);
    },
  };
}

function sinceGo(contents: readonly Content[]): readonly Content[] {
  const at = contents.findLastIndex(({ parts }) => parts.some((part) => part.text?.startsWith(GO)));
  return contents.slice(at + 1);
}
