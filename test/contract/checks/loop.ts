import { Agent, type Content, gemini, type PrepareTurn, type RunResult } from "@pollux/core";
import { type Check, difference } from "../check.ts";
import { findLoops, type LoopStep, type RecordedLoop } from "../loops.ts";
import { callsOf, joinText, readAnswer, textOf, whyUnusable } from "../plain-fold.ts";
import { modelOptions, recordedFetch, servedOver, type Transport, TRANSPORTS } from "../recorded-fetch.ts";
import { builtInsOf, declarationsIn, functionsOf } from "../recorded-tools.ts";
import { type Exchange, isJson, type Json, listOf, modelOf, type Recording } from "../recordings.ts";
import { wrongSum } from "../values/counters.ts";
import { contentsOf, instructionsOf, isErrorText, type PlainContent, resultIn, withNames } from "../wire-forms.ts";

/** With the recorded answers and results, an agent must send requests like the recorded client's, which the service accepted. */
export const loop: Check = {
  id: "loop",
  claim:
    "each recorded tool loop, run by an agent, sends what the service accepted, each request begins as the one before, and the run counts the tokens of all",
  compares:
    "each request of an agent whose tools return what they returned then, over both transports and both faces, and the usage of its run",
  against: "the requests the service took, and the sum of the recorded token counters",
  async run(recording, tally): Promise<void> {
    const { loops, leftOut } = findLoops(recording);
    for (const why of leftOut) tally.skip(why);
    for (const recorded of loops) {
      for (const transport of TRANSPORTS) {
        for (const face of ["run", "stream"] as const) {
          tally.measure("requests", recorded.exchanges.length);
          const verdict = await replay(recording, recorded, transport, face);
          tally.compare(recording.file, recorded.indexes.at(-1) ?? 0, verdict && `${transport}, ${face}: ${verdict}`);
        }
      }
    }
  },
};

/** The two ways to read a run. */
const FACES = {
  run: (agent: Agent, contents: readonly Content[]): Promise<RunResult> => agent.run(contents),
  stream: async (agent: Agent, contents: readonly Content[]): Promise<RunResult> => {
    const stream = agent.stream(contents);
    for await (const event of stream) void event;
    return await stream.result();
  },
};

async function replay(
  recording: Recording,
  recorded: RecordedLoop,
  transport: Transport,
  face: keyof typeof FACES,
): Promise<string | undefined> {
  const { exchanges, answers } = recorded;
  const [first] = exchanges;
  if (first?.request == null) return "the first request is not recorded";
  const given = withNames(contentsOf(first.request));
  const id = modelOf(recording, first);
  const served = exchanges.map((exchange) => servedOver(transport, exchange, chunksOrNone(exchange)));
  const { fetch, sent } = recordedFetch(served);
  const agent = new Agent({
    model: gemini(id, modelOptions(recording, transport, fetch)),
    instructions: instructionsOf(first.request),
    tools: [...functionsOf(recorded), ...builtInsOf(recorded, id)],
    hooks: { prepareTurn: sayBesides(given.length, recorded.steps) },
    // The recording ends here, even if the last answer has calls.
    stopWhen: [({ turns }) => turns >= exchanges.length],
    limits: { repeats: Number.POSITIVE_INFINITY, restarts: 0 },
  });

  const last = answers[exchanges.length - 1];
  const isUsable = last !== undefined && whyUnusable(last) === undefined;
  let result: RunResult | undefined;
  try {
    result = await FACES[face](agent, given);
  } catch (error) {
    // After an error or an empty answer, an agent may repeat the request, which has no recorded answer.
    if (isUsable) return `threw ${String(error)}`;
  }
  if (sent.length < exchanges.length) return `stopped after ${sent.length} of ${exchanges.length} requests`;
  if (isUsable && sent.length > exchanges.length) return `sent ${sent.length} requests, recorded ${exchanges.length}`;
  if (isUsable && callsOf(last.parts).length === 0 && result?.text !== textOf(last.parts))
    return "the result has another text";
  const bodies = exchanges.map(({ responseBody }) => responseBody);
  const wrongCount = isUsable && result !== undefined ? wrongSum(result.usage, bodies) : undefined;
  if (wrongCount !== undefined) return wrongCount;
  const declared = new Set(declarationsIn(recorded).keys());
  for (const [turn] of exchanges.entries()) {
    const { contents } = JSON.parse(sent[turn] ?? "{}") as { readonly contents: readonly PlainContent[] };
    const ours = contents.map((content) => readable(content, declared));
    const wrong = difference(ours, expectedContents(given, recorded, turn, declared));
    if (wrong !== undefined) return `request ${turn + 1}: ${wrong}`;
    if (turn > 0 && !sent[turn]?.startsWith(upToContents(sent[turn - 1] ?? "")))
      return `request ${turn + 1} begins with other bytes than the one before`;
  }
  return undefined;
}

/** A request's text up to the end of its last content: the part that the service may have cached. */
function upToContents(body: string): string {
  const { contents } = JSON.parse(body) as { readonly contents: unknown };
  const json = JSON.stringify(contents);
  const at = body.lastIndexOf(json);
  // Not the format of `JSON.stringify`: no request can start with this.
  return at === -1 ? "no contents" : body.slice(0, at + json.length - 1);
}

/** An error has no chunks, so the check serves it as recorded. */
function chunksOrNone(exchange: Exchange): readonly Json[] {
  const read = readAnswer(exchange);
  return "without" in read ? [] : read.chunks;
}

/** The expected contents of request `turn` (from 0): model contents as the service sent them, responses as it accepted them. */
function expectedContents(
  given: readonly PlainContent[],
  { answers, steps }: RecordedLoop,
  turn: number,
  declared: ReadonlySet<string>,
): readonly unknown[] {
  const added = steps.slice(0, turn).flatMap(({ responses, besides }, i): readonly PlainContent[] => {
    const said = answers[i]?.parts ?? [];
    const calls = callsOf(said);
    const parts = responses.map(({ name, response, parts: files }, j): Json => {
      // Clients invent missing ids, and some leave out the service's ids.
      const id = calls[j]?.["id"];
      return {
        functionResponse: {
          ...(id !== undefined && { id }),
          name,
          response,
          ...(files !== undefined && { parts: files }),
        },
      };
    });
    return [{ role: "model", parts: said, ...answers[i]?.content }, { role: "user", parts }, ...besides];
  });
  return [...given, ...added].map((content) => readable(content, declared));
}

/** A content with joined text and unwrapped function responses. */
function readable({ role, parts, ...rest }: PlainContent, declared: ReadonlySet<string>): unknown {
  if (role === "model") return { role, parts: joinText(parts), ...rest };
  return {
    ...rest,
    role,
    parts: parts.map((part) => {
      const answer = part["functionResponse"];
      if (!isJson(answer)) return part;
      const { response, parts: files, ...names } = answer;
      // Each client has its own error for an unknown function.
      if (!declared.has(String(answer["name"]))) return { ...names, result: "no such function" };
      const result = isJson(response) && isErrorText(response) ? response : resultIn(response);
      const held = files !== undefined && isJson(result) && "files" in result ? result["result"] : result;
      return { ...names, result: held, files: listOf(files).map(fileOf) };
    }),
  };
}

/** A file without its display name. */
function fileOf(part: unknown): unknown {
  const file = isJson(part) ? (part["inlineData"] ?? part["fileData"]) : undefined;
  if (!isJson(file)) return part;
  return { mimeType: file["mimeType"], data: file["data"] ?? file["fileUri"] };
}

/** Adds the recorded client's own contents after the responses. */
function sayBesides(given: number, steps: readonly LoopStep[]): PrepareTurn | undefined {
  if (steps.every(({ besides }) => besides.length === 0)) return undefined;
  return ({ turn, contents: all }) => {
    const contents = all.slice(0, given);
    for (let i = 0; i < turn - 1; i++) {
      contents.push(...all.slice(given + 2 * i, given + 2 * i + 2));
      contents.push(...((steps[i]?.besides ?? []) as readonly Content[]));
    }
    return { contents };
  };
}
