import { citationsOf } from "../grounding/citations.ts";
import { collectSources } from "../grounding/collect-sources.ts";
import { quotedCitations } from "../grounding/quoted-citations.ts";
import type { ModelResponse } from "../model/model.ts";
import type { LoopInput } from "./loop-input.ts";
import { outputsOf } from "./outputs.ts";
import type { RunOutcome } from "./result.ts";
import type { RunState } from "./run-state.ts";
import { visibleText } from "./transcript.ts";

/** What every run ends with, whatever the reason. */
export function outcomeOf(
  input: Pick<LoopInput, "given" | "prices">,
  state: RunState,
  response: ModelResponse | undefined,
): RunOutcome {
  const found = collectSources(state.responses);
  const text = response === undefined ? "" : visibleText(response.content);
  const own = response === undefined ? [] : citationsOf(response, found.sources);
  const grounded = found.sources.length > 0 || found.searchQueries.length > 0;
  return {
    runId: state.runId,
    text,
    contents: [...state.contents],
    added: state.contents.slice(input.given),
    turns: state.turns,
    usage: state.usage,
    cost: input.prices === undefined ? undefined : state.cost,
    response,
    ...outputsOf(state, response),
    ...found,
    citations:
      own.length > 0
        ? own
        : quotedCitations(
            text,
            state.responses.filter((other) => other !== response),
            found.sources,
          ),
    groundedBy: !grounded ? "none" : state.nestedResponses.size > 0 ? "delegated" : "native",
  };
}
