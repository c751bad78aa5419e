import {
  call,
  type Case,
  endingOf,
  GEMINI_3,
  isAnswered,
  lastContents,
  parts,
  responsesIn,
  say,
  type Seen,
  SIGNATURE,
  type Verdict,
} from "../case.ts";

const OSLO = { city: "Oslo" };
const unknownPart = { hologram: { uri: "stub:1", depth: 3 } };

/** What happens to calls, and to the parts around them. */
export const TOOLS: readonly Case[] = [
  {
    id: "parallel",
    model: GEMINI_3,
    tool: "meets",
    answer: ({ n }) => (n === 1 ? parts(call("c1", OSLO), call("c2", { city: "Bergen" }, {})) : say()),
    rows: [
      { id: "parallel", label: "two calls in a turn run at the same time", judge: judgeParallel },
      { id: "call-order", label: "their responses go back in call order, in one content", judge: judgeOrder },
    ],
  },
  toldCase("throws", "a tool throws", call("c1", OSLO), "throws"),
  toldCase("bad-arguments", "a call with arguments that the schema refuses", call("c1", { city: { is: 5 } })),
  toldCase("unknown-tool", "a call of a tool that does not exist", {
    functionCall: { id: "c1", name: "wether", args: OSLO },
    thoughtSignature: SIGNATURE,
  }),
  returnedCase("signatures", "thought signatures go back", [call("c1", OSLO)], ({ parts: all = [] }) =>
    all.some((part) => part.functionCall !== undefined && part["thoughtSignature"] === SIGNATURE),
  ),
  returnedCase("unknown-parts", "a new kind of part goes back as it came", [unknownPart, call("c1", OSLO)], (content) =>
    (content.parts ?? []).some((part) => JSON.stringify(part) === JSON.stringify(unknownPart)),
  ),
];

function judgeParallel(seen: Seen): Verdict {
  if (seen.inputs.length < 2) return { met: "no", says: endingOf(seen) };
  return seen.together === 2 ? { met: "yes", says: "at once" } : { met: "no", says: "one by one" };
}

function judgeOrder(seen: Seen): Verdict {
  const answering = lastContents(seen).filter(({ parts: all = [] }) => all.some((part) => part.functionResponse));
  const cities = responsesIn(seen).map(({ response }) =>
    JSON.stringify(response).includes("Oslo") ? "Oslo" : "Bergen",
  );
  const isRight = answering.length === 1 && cities.join() === "Oslo,Bergen";
  return isRight ? { met: "yes", says: "one content" } : { met: "no", says: describe(answering.length, cities) };
}

function describe(contents: number, cities: readonly string[]): string {
  if (cities.length !== 2) return `${cities.length} of 2 sent`;
  return contents === 1 ? "another order" : `${contents} contents`;
}

/** The call goes wrong; the model should learn it, and the run should continue. */
function toldCase(id: string, label: string, bad: object, tool: Case["tool"] = "answers"): Case {
  const judge = (seen: Seen): Verdict => {
    if (id !== "throws" && seen.inputs.length > 0) return { met: "no", says: "the tool runs" };
    if (!isAnswered(seen)) return { met: "no", says: endingOf(seen) };
    if (responsesIn(seen).length !== 1) return { met: "no", says: "call not answered" };
    return { met: "yes", says: "reported to the model" };
  };
  return { id, model: GEMINI_3, tool, answer: ({ n }) => (n === 1 ? parts(bad) : say()), rows: [{ id, label, judge }] };
}

/** The model's parts have to be in the next request. */
function returnedCase(
  id: string,
  label: string,
  said: readonly object[],
  isThere: (content: ReturnType<typeof lastContents>[number]) => boolean,
): Case {
  const judge = (seen: Seen): Verdict => {
    if (seen.asked.length < 2) return { met: "no", says: endingOf(seen) };
    return lastContents(seen).some(isThere) ? { met: "yes", says: "sent back" } : { met: "no", says: "dropped" };
  };
  return { id, model: GEMINI_3, answer: ({ n }) => (n === 1 ? parts(...said) : say()), rows: [{ id, label, judge }] };
}
