import { createEmulator, type Emulator, type EmulatorOptions, say } from "@pollux/emulator";
import { type Check, excerpt, type Tally } from "../check.ts";
import { messageShape } from "../message-shape.ts";
import { INSIDE, readAnswer } from "../plain-fold.ts";
import { methodOf } from "../read-recording.ts";
import { type PlainRefusal, refusalIn } from "../refusal.ts";
import { type Exchange, isAnswered, isStream, listOf, modelOf, type Recording } from "../recordings.ts";
import { type HiddenState, hiddenState } from "../hidden-state.ts";

/** The emulator must answer like the service. */
export const emulator: Check = {
  id: "emulator",
  claim: "the emulator takes each request the service took, and refuses what it refused with its status and words",
  compares: "whether an emulator of the same service and model takes each request, and its refusals",
  against: "what the service did",
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const without = whyNotAsked(recording, exchange);
      if (without === undefined) tally.measure("requests", 1);
      if (without !== undefined) tally.skip(without);
      else if (isAnswered(exchange)) await checkAccepted(recording, index, exchange, tally);
      else await checkRefused(recording, index, exchange, tally);
    }
  },
};

function whyNotAsked(recording: Recording, exchange: Exchange): string | undefined {
  const { status, path, request } = exchange;
  const method = methodOf(path) ?? "generateContent";
  if (!METHODS.has(method)) return `another method: ${method}`;
  if (recording.fidelity.includes("recorder-damaged")) return "the recorder damaged the file";
  if (isAnswered(exchange)) {
    if (request === null) return "the request is not recorded";
    const read = readAnswer(exchange);
    return "without" in read && read.without === INSIDE ? `no refusal, but ${INSIDE}` : undefined;
  }
  if (status < 400 || status >= 500) return `no refusal, but a failure of the service: ${status}`;
  return refusalIn(exchange) === undefined ? "refused in the words of a gateway or proxy" : undefined;
}

/** Rules about uploads from before the recording. */
const STORED: Readonly<Record<string, string | undefined>> = { "C-1": "a cache", "E-74": "a file" };

const METHODS: ReadonlySet<string> = new Set(["generateContent", "streamGenerateContent", "countTokens"]);

async function checkAccepted(recording: Recording, index: number, exchange: Exchange, tally: Tally): Promise<void> {
  // The service had the model at the time; an alias stood for the one that answered.
  const model = exchange.modelVersion?.replace(/^models\//, "") || modelOf(recording, exchange);
  const strict = { extraModels: [model], fileState: () => "active" as const };
  const answer = await ask(recording, exchange, { model, options: { strict } });
  const stored = STORED[answer.rule];
  if (stored !== undefined) {
    tally.skip(`needs state the recording does not hold: ${stored}`);
    return;
  }
  const accepted = answer.status === 200;
  tally.share("accepted as by the service", accepted);
  tally.compare(
    recording.file,
    index,
    accepted ? undefined : `refused by ${answer.rule}, ${answer.status}: ${excerpt(answer.message)}`,
  );
}

async function checkRefused(recording: Recording, index: number, exchange: Exchange, tally: Tally): Promise<void> {
  const refusal = refusalIn(exchange) as PlainRefusal;
  const state = hiddenState(refusal);
  if (state !== undefined && state.options === undefined && state.credentials === undefined) {
    tally.skip(`needs state the recording does not hold: ${state.what}`);
    return;
  }
  // The service checks credentials before the request, so any request works.
  if (exchange.request === null && state?.credentials === undefined) {
    tally.skip("the request is not recorded");
    return;
  }
  const model = modelOf(recording, exchange);
  const isGone = refusal.status === 404;
  const strict = isGone ? { retiredModels: "refuse" as const } : { extraModels: [model] };
  const options = { ...state?.options, strict: { ...strict, ...state?.options?.strict } };
  const answer = await ask(recording, exchange, { model, options, credentials: state?.credentials });
  const same = answer.status === refusal.status && messageShape(answer.message) === messageShape(refusal.message);
  tally.share("refused as by the service", same);
  if (same) tally.share("of the refusals word for word", answer.message.trim() === refusal.message.trim());
  if (state !== undefined) tally.count(`refused for a state the emulator was given (${state.what})`);
  const said = answer.status === 200 ? "accepted" : `refused by ${answer.rule}, ${answer.status}: ${answer.message}`;
  const wrong = `${excerpt(said)}, recorded ${refusal.status}: ${excerpt(refusal.message)}`;
  tally.compare(recording.file, index, same ? undefined : wrong);
}

interface Asked extends Pick<HiddenState, "credentials"> {
  readonly model: string;
  readonly options: Pick<EmulatorOptions, "strict" | "faults">;
}

interface Answered {
  readonly status: number;
  readonly message: string;
  readonly rule: string;
}

/** Sends the recorded request to an emulator with the profile of the recorded service. */
async function ask(
  recording: Recording,
  exchange: Exchange,
  { model, options, credentials }: Asked,
): Promise<Answered> {
  const isVertex = exchange.path?.includes("/publishers/") ?? recording.api === "vertex";
  // Signatures of another server can't be checked; everything else is.
  const brain = { anySignature: true, answer: () => say("ok") };
  const emulated: Emulator = createEmulator({ profile: isVertex ? "vertex" : "developer", brain, ...options });
  const good = isVertex ? { authorization: "Bearer ya29.token" } : { "x-goog-api-key": "emulator" };
  const response = await emulated.fetch(pathFor(exchange, model, isVertex), {
    method: "POST",
    headers: { "content-type": "application/json", ...(credentials ?? good) },
    body: JSON.stringify(exchange.request ?? { contents: [{ role: "user", parts: [{ text: "hello" }] }] }),
  });
  const body = await response.text();
  const rule = emulated.requests.at(-1)?.answered.rule ?? "no rule";
  return { status: response.status, message: messageIn(body), rule };
}

/** The recorded address with this model, from the version on: recorders and gateways put their own in front. */
function pathFor(exchange: Exchange, model: string, isVertex: boolean): string {
  const recorded = /\/v\d\w*\/(?:projects|publishers|models)\/.*$/.exec(exchange.path ?? "")?.[0];
  const plain = isVertex ? "/v1beta1/projects/p/locations/l/publishers/google/models/m" : "/v1beta/models/m";
  const method = isStream(exchange) ? ":streamGenerateContent?alt=sse" : ":generateContent";
  return (recorded ?? `${plain}${method}`)
    .replace(/\/models\/[^:?]+/, `/models/${model}`)
    .replace("<GOOGLE_CLOUD_LOCATION>", "global");
}

function messageIn(body: string): string {
  try {
    const [answer] = listOf(JSON.parse(body)) as readonly { readonly error?: { readonly message?: string } }[];
    return answer?.error?.message ?? body;
  } catch {
    return body;
  }
}
