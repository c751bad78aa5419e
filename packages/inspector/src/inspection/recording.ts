import type { Json, Usage } from "@pollux/core";
import { addUsage, NO_USAGE, readResponseBody } from "@pollux/core/model";
import { exchangeEntry } from "@pollux/core/exchanges";
import { buildCallId, stepName, type StepPlace } from "@pollux/core/durable";
import { fieldsOf, type Fields, isFields, listOf, numberOf, textOf } from "./read-values.ts";
import { readUsage } from "./usage.ts";

/** A recording as a session: the entries of its log and of its kept exchanges. */
export interface RecordedSession {
  readonly entries: readonly Json[];
  readonly exchanges: readonly Json[];
}

/** True for the contents of a file that `recordFetch` wrote. */
export function isRecording(value: unknown): boolean {
  const list = isFields(value) ? value["exchanges"] : value;
  return (
    Array.isArray(list) && list.length > 0 && list.every((one) => typeof fieldsOf(one)["responseBody"] === "string")
  );
}

/**
 * A recording as a session, each exchange with its request and answer verbatim. An exchange whose request returns the results of
 * calls is the next turn of the run that made them; any other starts a run. A recording has no times: exchanges are one second apart.
 *
 * @param file - The parsed file.
 */
export function readRecording(file: unknown): RecordedSession {
  const list = isFields(file) ? [...listOf(file["exchanges"]), ...listOf(file["others"])] : listOf(file);
  const writer = new Writer();
  for (const exchange of list.toSorted(byPosition)) writer.add(fieldsOf(exchange));
  return { entries: writer.end(), exchanges: writer.exchanges };
}

function byPosition(a: unknown, b: unknown): number {
  return (numberOf(fieldsOf(a)["position"]) ?? 0) - (numberOf(fieldsOf(b)["position"]) ?? 0);
}

/** A run that the next exchange may belong to. */
interface OpenRun {
  readonly runId: string;
  readonly contents: readonly unknown[];
  readonly turn: number;
}

class Writer {
  readonly exchanges: Json[] = [];
  readonly #runs: OpenRun[] = [];
  /** The entries of each run, since exchanges of several runs may alternate. */
  readonly #entries: Map<string, Fields[]> = new Map();
  #count = 0;

  add(exchange: Fields): void {
    const at = 1000 * this.#count;
    const request = fieldsOf(exchange["request"]);
    const contents = listOf(request["contents"]);
    const model = textOf(exchange["model"]) ?? "";
    const before = this.#runBefore(contents);
    const run: OpenRun =
      before === undefined
        ? { runId: `exchange-${this.#count + 1}`, contents, turn: 1 }
        : { runId: before.runId, contents, turn: before.turn + 1 };
    if (before === undefined) this.#begin(run, model, at);
    else this.#addResults(run, contents.at(-1), at);
    this.#addAnswer(run, exchange, at);
    this.#keep(run, exchange, model, at);
    this.#runs.push(run);
    this.#count++;
  }

  /** The entries of all runs, each with its end. */
  end(): readonly Json[] {
    const all: Json[] = [];
    for (const [runId, entries] of this.#entries) {
      const last = entries.at(-1) ?? {};
      const isAnswered = fieldsOf(last["outcome"])["ok"] === true;
      const steps = entries.filter(({ type }) => type === "step");
      const count = (kind: string): number => steps.filter(({ place }) => fieldsOf(place)["kind"] === kind).length;
      const end = {
        v: 3,
        at: numberOf(last["at"]) ?? 0,
        type: "end",
        runId,
        stopReason: isAnswered ? "finished" : "failed",
        open: isAnswered ? turnsOf(steps) : [],
        usage: entries.map(usageIn).reduce(addUsage, NO_USAGE),
        turns: count("model"),
        toolCalls: count("call"),
        ...(!isAnswered && { error: fieldsOf(last["outcome"])["error"] }),
      };
      // Parts of a parsed file and core's readings of it, so JSON.
      all.push(...(entries as unknown as readonly Json[]), end as unknown as Json);
    }
    return all;
  }

  /** The run that a request continues: its contents begin with those of the run's last request, and end on results of calls. */
  #runBefore(contents: readonly unknown[]): OpenRun | undefined {
    const parts = listOf(fieldsOf(contents.at(-1))["parts"]);
    if (!parts.some((part) => fieldsOf(part)["functionResponse"] !== undefined)) return undefined;
    return this.#runs.findLast(
      ({ contents: known }) =>
        known.length < contents.length &&
        known.every((one, index) => JSON.stringify(one) === JSON.stringify(contents[index])),
    );
  }

  #begin({ runId, contents }: OpenRun, model: string, at: number): void {
    const origin = { endpoint: "", family: model };
    this.#entries.set(runId, []);
    this.#write({ at, type: "run", runId, loop: 0, agent: "", model, origin, input: contents });
  }

  #addResults({ runId, turn }: OpenRun, content: unknown, at: number): void {
    const parts = listOf(fieldsOf(content)["parts"]).filter((part) => fieldsOf(part)["functionResponse"] !== undefined);
    for (const [index, part] of parts.entries()) {
      const value = { part, after: [], nested: [], startedAt: at, endedAt: at, durationMs: 0 };
      const callId = buildCallId(turn - 1, index);
      const place = { kind: "call", turn: turn - 1, callId, attempt: 0 } as const;
      this.#write({ at, type: "step", runId, step: stepName(place), place, outcome: { ok: true, value } });
    }
  }

  #addAnswer({ runId, turn }: OpenRun, exchange: Fields, at: number): void {
    const place = modelPlace(turn);
    this.#write({ at, type: "step", runId, step: stepName(place), place, outcome: outcomeOf(exchange, at) });
  }

  #keep({ runId, turn }: OpenRun, exchange: Fields, model: string, at: number): void {
    const { method, path, request, status, responseHeaders, responseBody, ended } = exchange;
    const body = request === undefined || request === null ? "" : JSON.stringify(request);
    const url = textOf(path) ?? "";
    this.exchanges.push(
      exchangeEntry({
        startedAt: at,
        endedAt: at,
        runId,
        step: { name: stepName(modelPlace(turn)), place: modelPlace(turn), attempt: 0 },
        attempt: 1,
        agent: "",
        model,
        operation: url.includes(":stream") ? "streamGenerateContent" : "generateContent",
        method: textOf(method) ?? "POST",
        url,
        requestHeaders: {},
        body,
        ...(numberOf(status) !== undefined && status !== 0 && { status: Number(status) }),
        responseHeaders: textsOf(responseHeaders),
        chunks: [{ ms: 0, text: textOf(responseBody) ?? "" }],
        ended: ended === "failed" || ended === "cancelled" ? ended : "complete",
      }),
    );
  }

  #write(entry: Fields & { readonly runId: string }): void {
    this.#entries.get(entry.runId)?.push({ v: 3, ...entry });
  }
}

function modelPlace(turn: number): StepPlace {
  return { kind: "model", phase: "work", turn, attempt: 0 };
}

/** The records of the turns that these steps make up. */
function turnsOf(steps: readonly Fields[]): readonly Fields[] {
  return steps.flatMap(({ step, place }): readonly Fields[] => {
    const { kind, turn } = fieldsOf(place);
    if (kind !== "model") return [];
    const calls = steps.flatMap((one): readonly Fields[] => {
      const own = fieldsOf(one["place"]);
      return own["kind"] === "call" && own["turn"] === turn ? [{ callId: own["callId"], step: one["step"] }] : [];
    });
    const responses = calls.length === 0 ? [] : [{ calls: calls.map(({ callId }) => callId) }];
    return [{ turn, contents: [{ model: step }, ...responses], steps: [{ step }], calls }];
  });
}

function usageIn(entry: Fields): Usage {
  const { response } = fieldsOf(fieldsOf(entry["outcome"])["value"]);
  return readUsage(fieldsOf(response)["usage"]);
}

function outcomeOf({ responseBody, status }: Fields, at: number): Fields {
  const body = textOf(responseBody) ?? "";
  const fail = (name: string, message: string): Fields => ({ ok: false, error: { name, message } });
  try {
    const { response, error } = readResponseBody(body);
    if (error !== undefined || Number(status) >= 400) {
      const { message } = fieldsOf(fieldsOf(error)["error"]);
      return fail("ApiStatusError", `${String(status)} ${textOf(message) ?? body.slice(0, 500)}`);
    }
    return { ok: true, value: { response, startedAt: at, endedAt: at } };
  } catch (error) {
    return fail("ApiShapeError", `${String(status)} ${error instanceof Error ? error.message : String(error)}`);
  }
}

function textsOf(headers: unknown): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(fieldsOf(headers)).map(([name, value]) => [name, String(value)]));
}
