import { isObject, asList, asObject, type Json } from "../internal/json.ts";
import type { Outcome } from "../durable/steps.ts";
import { KeptExchanges, type KeptExchange } from "../exchanges/kept-exchanges.ts";
import type { RehearsedRun } from "../tool/tool.ts";
import type { HttpExchange } from "../wire/http/exchange-tap.ts";
import { redactBytes } from "../wire/secrets/redact.ts";
import { type BodyDifference, compareBodies } from "./compare-bodies.ts";

/** A request as a model would send it now. */
export type SentRequest = Pick<HttpExchange, "method" | "url" | "body">;

/** A kept request, and the exchange that ended its attempts. */
interface KeptRequest {
  readonly index: number;
  readonly sent: KeptExchange;
  last: KeptExchange;
}

/** A replayed run: the id that it had, and its next requests. */
interface RunAgain {
  readonly keptId: string;
  next: KeptRequest[];
}

/** The kept requests of a run and of the runs inside it: compares the replayed requests with them, and answers these. */
export class KeptRequests {
  /** Milliseconds since the epoch. */
  now = 0;
  compared = 0;
  difference: BodyDifference | undefined;
  readonly #kept: KeptExchanges;
  readonly #requests: KeptRequest[] = [];
  /** Exchanges other than answers: states of files. */
  readonly #others: KeptExchange[] = [];
  readonly #top: RunAgain;
  readonly #runs: Map<string, RunAgain>;
  /** Steps that repeated their request, by run and name. */
  readonly #made: Set<string> = new Set();
  #problem: string | undefined;

  /** @param runId - Id of the outermost run. */
  constructor(exchanges: readonly Json[], runId: string) {
    this.#kept = new KeptExchanges(exchanges);
    this.#top = { keptId: runId, next: [] };
    this.#runs = new Map([[runId, this.#top]]);
    const known = new Set([runId]);
    const open = new Map<string, KeptRequest>();
    for (const one of this.#kept.exchanges) {
      if (one.parent !== undefined && known.has(one.parent.runId)) known.add(one.runId);
      if (!known.has(one.runId)) continue;
      const isAnswer = one.operation === "streamGenerateContent" || one.operation === "generateContent";
      const attempted = open.get(keyOf(one));
      if (!isAnswer) this.#others.push(one);
      else if (attempted !== undefined && one.attempt > attempted.last.attempt) attempted.last = one;
      else {
        const request = { index: this.#requests.length, sent: one, last: one };
        open.set(keyOf(one), request);
        this.#requests.push(request);
      }
    }
  }

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  /** Something differs: later differences mean nothing. */
  get isStopped(): boolean {
    return this.difference !== undefined || this.#problem !== undefined;
  }

  /** Another difference, if one is known so far; at the end, also a request that was not repeated. */
  findProblem(): string | undefined {
    if (this.isStopped) return this.#problem;
    const missing = this.#requests.find(({ sent }) => !this.#made.has(keyOf(sent)));
    return missing && `request ${missing.index} (${missing.sent.step.name}) is no longer made`;
  }

  /** @throws {TypeError} Always. */
  stop(problem: string): never {
    if (!this.isStopped) this.#problem = problem;
    throw new TypeError(problem);
  }

  /**
   * A step of the outermost run is about to call its model.
   *
   * @param known - Its recorded outcome; undefined if it failed.
   * @returns False when there is nothing to compare: the step left neither an outcome nor a request.
   */
  begin(step: string, known: Outcome | undefined): boolean {
    this.#top.next = this.#requests.filter(({ sent }) => sent.runId === this.#top.keptId && sent.step.name === step);
    this.setTime(known, "startedAt");
    return known !== undefined || this.#top.next.length > 0;
  }

  /** Sets the clock to a time that a step recorded. */
  setTime(known: Outcome | undefined, time: "startedAt" | "endedAt"): void {
    const at = known?.ok === true ? asObject(known.value)[time] : undefined;
    if (typeof at === "number") this.now = at;
  }

  /** A function that answers the requests of a run. */
  requestsOf(at: RehearsedRun): (sent: SentRequest) => Response {
    const run = this.#runs.get(at.runId) ?? this.#begin(at);
    return (sent) => {
      if (sent.method !== "GET") return this.#answer(sent, run, at);
      // Its last state, so that nothing waits.
      const other = this.#others.findLast((one) => endOf(one.url) === endOf(sent.url));
      if (other === undefined) return this.stop(`${endOf(sent.url)} was not requested when the run was recorded`);
      return responseOf(other);
    };
  }

  /** True if runs inside a step of a run sent requests. @param runId - Id in the replay. @defaultValue the outermost run */
  hasInside(runId: string | undefined, step: string): boolean {
    const run = runId === undefined ? this.#top : this.#runs.get(runId);
    return this.#requests.some(
      ({ sent: { parent } }) =>
        parent !== undefined && parent.runId === run?.keptId && (parent.step === step || parent.callId === step),
    );
  }

  /** The response to a call of a run inside, as the next request of that run has it. */
  responseTo(runId: string, turn: number, callId: string): Record<string, unknown> | undefined {
    const next = this.#runs.get(runId)?.next[0];
    if (next === undefined || next.sent.step.place.turn <= turn) return undefined;
    const { contents } = asObject(JSON.parse(new TextDecoder().decode(this.#kept.body(next.sent.position))));
    const answered = asList(contents).findLast((one) => responsesIn(one).length > 0);
    const response = responsesIn(answered)[Number(callId.slice(callId.lastIndexOf(".") + 1))];
    // A response with media does not show what the tool returned.
    return isObject(response?.["response"]) && response["parts"] === undefined ? response["response"] : undefined;
  }

  /** Begins a run inside: the next kept run of the same step, in order. */
  #begin({ runId, parent }: RehearsedRun): RunAgain {
    const outer = parent && this.#runs.get(parent.runId);
    const taken = new Set([...this.#runs.values()].map(({ keptId }) => keptId));
    const isNext = ({ sent }: KeptRequest): boolean =>
      sent.parent?.runId === outer?.keptId && sent.parent?.step === parent?.step && !taken.has(sent.runId);
    const keptId =
      this.#requests.filter(isNext).toSorted((a, b) => a.sent.startedAt - b.sent.startedAt)[0]?.sent.runId ?? "";
    const run = { keptId, next: this.#requests.filter(({ sent }) => sent.runId === keptId) };
    this.#runs.set(runId, run);
    return run;
  }

  #answer(built: SentRequest, run: RunAgain, { agent }: RehearsedRun): Response {
    const request = run.next.shift();
    if (request === undefined) return this.stop(`the agent "${agent}" makes a request that was not kept`);
    const { index, sent, last } = request;
    this.#made.add(keyOf(sent));
    this.compared++;
    const recorded = this.#kept.body(sent.position);
    const [was, is] = [endOf(sent.url), endOf(built.url)];
    const found =
      was === is ? compareBodies(recorded, withoutSecrets(built.body, recorded)) : { field: "model", was, is };
    if (found !== undefined) {
      if (!this.isStopped)
        this.difference = { request: index, position: sent.position, step: sent.step.name, ...found };
      throw new TypeError(`request ${index} differs at ${found.field}`);
    }
    this.now = Math.max(this.now, last.endedAt);
    return responseOf(last);
  }
}

function keyOf({ runId, step }: Pick<KeptExchange, "runId" | "step">): string {
  return `${runId} ${step.name}`;
}

/** The model and the method, without the address of the service. */
function endOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

function responsesIn(content: unknown): readonly Record<string, unknown>[] {
  const { role, parts } = asObject(content);
  if (role !== "user") return [];
  return asList(parts).flatMap((part) => {
    const { functionResponse } = asObject(part);
    return isObject(functionResponse) ? [functionResponse] : [];
  });
}

/** The answer as it was read. @throws {TypeError} For an answer that never arrived. */
function responseOf({ status, responseHeaders = {}, chunks, ended, error }: KeptExchange): Response {
  if (status === undefined) throw new TypeError(error?.message ?? "there was no answer");
  const encoder = new TextEncoder();
  const pieces = chunks.values();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = pieces.next();
      if (piece.done !== true) controller.enqueue(encoder.encode(piece.value.text));
      else if (ended === "failed") controller.error(new TypeError(error?.message ?? "the answer broke off"));
      else controller.close();
    },
  });
  const { "content-encoding": _, "content-length": __, ...headers } = responseHeaders;
  return new Response(body, { status, headers });
}

/** A body as `keepExchanges` would keep it. The secrets are unknown, so the marks over them are copied from the kept body. */
function withoutSecrets(built: Uint8Array, kept: Uint8Array): Uint8Array {
  const clean = redactBytes(built, []);
  let covered: Uint8Array | undefined;
  for (const { index, 0: mark } of latin1(kept).matchAll(/\[redacted\]\.*|\*{6,9}/g)) {
    covered ??= new Uint8Array(clean);
    covered.set(kept.subarray(index, Math.min(index + mark.length, covered.length)), Math.min(index, covered.length));
  }
  return covered ?? clean;
}

/** One character for each byte, so that positions are those of the bytes. */
function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
