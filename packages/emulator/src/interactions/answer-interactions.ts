import type { Brain } from "../brain/brain.ts";
import { createTurn } from "../brain/brain.ts";
import { closestModel } from "../catalog/closest-model.ts";
import type { EmulatorOptions } from "../emulator-options.ts";
import { findFault } from "../fault/fault.ts";
import type { IncomingRequest } from "../incoming-request.ts";
import { type Fields, isFields, tryJson } from "../internal/json.ts";
import { createRandom } from "../internal/random.ts";
import { wait } from "../internal/wait.ts";
import type { LoggedRequest, Note } from "../request-log.ts";
import { deliver } from "../respond/deliver.ts";
import { refuse } from "../respond/refuse.ts";
import { estimateText } from "../respond/tokens.ts";
import type { Signer } from "../signatures.ts";
import { callerOf, checkCredentials } from "../validate/auth.ts";
import { refuse as refusalOf } from "../validate/error-body.ts";
import type { Profile } from "../validate/types.ts";
import { toBrainRequest, toSteps } from "./brain-steps.ts";
import { checkInteraction, type InteractionRequest } from "./check-interaction.ts";
import {
  asInteractionError,
  eventsOf,
  frameInteraction,
  resumeAfter,
  type ShownInteraction,
} from "./interaction-events.ts";
import { InteractionRefusal, refuseInteraction } from "./interaction-rules.ts";
import { research, type ResearchScript } from "./research.ts";
import { type ProjectWebhook, WebhookSender } from "./webhook-sender.ts";

/** Options of the Interactions API. */
export interface InteractionOptions {
  /** What an agent does, for tests. Default: it is made up from the question. */
  readonly research?: ((request: InteractionRequest) => ResearchScript | undefined) | undefined;
  /** How many times `GET` says that background work is in progress. With webhooks it is over at once. Default: 1. */
  readonly polls?: number | undefined;
  /** What a stream with `last_event_id` sends: the whole answer again, as the service was seen to do, or the rest. Default: `replay`. */
  readonly resume?: "replay" | "exact" | undefined;
  /** The webhook of the project. Default: none; requests may name their own. */
  readonly webhook?: ProjectWebhook | undefined;
}

/** What is known of an interaction. */
interface Stored {
  readonly id: string;
  readonly owner: string;
  readonly request: InteractionRequest;
  readonly before: readonly Fields[];
  readonly created: Date;
  /** Absent while the request that created it is answered. */
  outcome: {
    readonly status: string;
    readonly steps: readonly Fields[];
    readonly errors?: readonly object[] | undefined;
  };
  status: string;
  polls: number;
}

/** Answers requests to the Interactions API; undefined for any other. */
export type AnswerInteractions = (
  incoming: IncomingRequest,
  note: Note,
  noteEnd: (changes: Partial<LoggedRequest["answered"]>) => void,
) => Promise<Response | undefined>;

const PATH = /^\/(?:v1|v1beta)\/interactions(?:\/([^/]+)(\/cancel)?)?$/;
const KEYS_PATH = "/.well-known/jwks.json";
const DUMMY = "skip_thought_signature_validator";
const JSON_HEADERS = { "content-type": "application/json", server: "scaffolding on HTTPServer2", vary: "Origin" };

/** Creates the Interactions API of one emulator, with its own state. */
export function createInteractions(
  options: EmulatorOptions,
  {
    profile,
    seed,
    signer,
    brain,
  }: { readonly profile: Profile; readonly seed: string; readonly signer: Signer; brain(): Brain },
): AnswerInteractions {
  const { polls = 1, resume = "replay", webhook, research: script } = options.interactions ?? {};
  const now = options.now ?? (() => new Date());
  const stored = new Map<string, Stored>();
  const sender = new WebhookSender(webhook);
  const random = createRandom(`${seed} interactions`);
  const issued = new Set<string>();
  let asked = 0;
  let number = 0;

  function find(id: string, incoming: IncomingRequest): Stored {
    const found = stored.get(id);
    if (found !== undefined && found.owner === callerOf(incoming)) return found;
    if (/^v1_[\w-]{20,}$/.test(id))
      throw new InteractionRefusal("I-37", `Interaction ${id} not found.`, "not_found", 404);
    return refuseInteraction("I-11", `Invalid interaction name: interactions/${id}`);
  }

  /** The turns before, which have to be over. */
  function predecessor({ previous, input }: InteractionRequest, incoming: IncomingRequest): readonly Fields[] {
    const found = previous === undefined ? undefined : find(previous, incoming);
    if (found?.status === "in_progress")
      refuseInteraction("I-34", `Interaction ${previous ?? ""} is still in progress.`);
    const before = found === undefined ? [] : [...found.before, ...found.request.input, ...found.outcome.steps];
    checkCalls(before, input, issued);
    return before;
  }

  async function outcomeOf(
    request: InteractionRequest,
    before: readonly Fields[],
    incoming: IncomingRequest,
  ): Promise<Stored["outcome"]> {
    const { model = "", raw, stream: streamed } = request;
    const finish = (steps: readonly Fields[]): readonly Fields[] => signSteps(steps, model, signer, random, issued);
    if (request.agent !== undefined) {
      const found = research(request, script?.(request));
      return { ...found, steps: finish(found.steps) };
    }
    number += 1;
    const facts = closestModel(model);
    const turn = {
      number,
      request: toBrainRequest(request, before),
      raw,
      model: facts,
      profile,
      streamed,
      path: incoming.url.pathname,
      seed,
    };
    const answer = await brain().answer(createTurn({ ...turn, signal: incoming.signal }));
    const steps = finish(toSteps(answer));
    const isOpen = steps.some(({ type }) => type === "function_call");
    return {
      status: isOpen ? "requires_action" : answer.finishReason === "MAX_TOKENS" ? "incomplete" : "completed",
      steps,
    };
  }

  function show(one: Stored): ShownInteraction {
    const { id, request, created, status, outcome } = one;
    const { model, agent, store, raw } = request;
    const at = `${created.toISOString().slice(0, 19)}Z`;
    const isRunning = status === "in_progress";
    const rest = {
      ...(!isRunning && { usage: usageOf(request, outcome.steps) }),
      created: at,
      updated: at,
      ...(agent === undefined && { service_tier: "standard" }),
      ...(outcome.errors !== undefined && status === "failed" && { errors: outcome.errors }),
      object: "interaction",
      ...(raw["webhook_config"] !== undefined && { webhook_config: raw["webhook_config"] }),
      ...(agent === undefined ? { model } : { agent }),
    };
    return { ...(store && { id }), status, steps: isRunning || status === "cancelled" ? [] : outcome.steps, rest };
  }

  function unary(one: Stored, more: { readonly input?: boolean; readonly leading?: boolean } = {}): Fields {
    const { id, status, steps, rest } = show(one);
    const all = [...(more.leading === true ? one.request.input : []), ...steps];
    const { usage, created, updated, service_tier: tier, ...named } = rest;
    const head = { ...(id !== undefined && { id }), status, ...(usage !== undefined && { usage }), created, updated };
    return {
      ...head,
      ...(tier !== undefined && { service_tier: tier }),
      ...(all.length > 0 && { steps: all }),
      ...(more.input === true && { input: one.request.input }),
      ...named,
    };
  }

  /** Background work is over; everybody who wants to know is told. */
  function settle(one: Stored, status = one.outcome.status): void {
    if (one.status !== "in_progress" || status === "in_progress") return;
    one.status = status;
    if (!one.request.background) return;
    const config = one.request.raw["webhook_config"];
    const { uris, user_metadata: userMetadata } = isFields(config) ? config : {};
    const [error] = one.outcome.errors ?? [];
    const { code, message } = isFields(error) ? error : {};
    const fields = status === "failed" ? { error_code: code, error_message: message } : undefined;
    const type = `interaction.${status === "incomplete" ? "completed" : status}`;
    void sender.send({
      id: one.id,
      type,
      at: now(),
      fields,
      userMetadata,
      uris: Array.isArray(uris) ? uris.map(String) : [],
    });
  }

  async function create(incoming: IncomingRequest): Promise<Stored> {
    const request = checkInteraction(tryJson(incoming.body));
    const before = predecessor(request, incoming);
    const own = random.id(22);
    const root = request.previous === undefined ? own : rootOf(request.previous);
    const id = `v1_${Buffer.concat([field(1, root), field(2, own)]).toString("base64url")}`;
    const outcome = await outcomeOf(request, before, incoming);
    const status = request.background ? "in_progress" : outcome.status;
    const one: Stored = { id, owner: callerOf(incoming), request, before, created: now(), outcome, status, polls };
    if (request.store) stored.set(id, one);
    if (request.background && (webhook !== undefined || request.raw["webhook_config"] !== undefined))
      setTimeout(() => settle(one), 0);
    return one;
  }

  async function serve(
    incoming: IncomingRequest,
    id: string | undefined,
    isCancel: boolean,
  ): Promise<Fields | { readonly stream: Stored; readonly events: readonly Fields[] }> {
    const method = incoming.method.toUpperCase();
    const query = incoming.url.searchParams;
    const size = Math.max(2, options.deltaCharacters ?? 32);
    if (id === undefined) {
      const one = await create(incoming);
      if (one.request.stream && !one.request.background)
        return { stream: one, events: eventsOf(show(one), { size, hasIds: false, hasEnd: true }) };
      return unary(one);
    }
    const one = find(id, incoming);
    if (isCancel) {
      if (one.status !== "in_progress")
        throw new InteractionRefusal(
          "I-36",
          "Only background interactions that are running can be cancelled.",
          "failed_precondition",
        );
      settle(one, "cancelled");
      return unary(one);
    }
    if (method === "DELETE") {
      stored.delete(id);
      return {};
    }
    const lastEventId = query.get("last_event_id");
    if (query.get("stream") !== "true") {
      if (lastEventId !== null) refuseInteraction("I-35", "last_event_id requires stream=true.");
      if (one.polls > 0) one.polls -= 1;
      else settle(one);
      return unary(one, { leading: true, input: query.get("include_input") === "true" });
    }
    const { status } = one.status === "in_progress" ? one.outcome : one;
    const shown = show({ ...one, status: status === "in_progress" ? "completed" : status });
    const layout = { size, hasIds: one.request.background, hasEnd: status !== "in_progress" };
    if (lastEventId === null) return { stream: one, events: eventsOf(shown, layout) };
    const rest = resumeAfter(shown, layout, lastEventId, resume === "replay");
    return { stream: one, events: rest ?? refuseInteraction("I-38", `Invalid last_event_id '${lastEventId}'.`) };
  }

  return async (incoming, note, noteEnd) => {
    const path = PATH.exec(incoming.url.pathname);
    const method = incoming.method.toUpperCase();
    if (method === "GET" && incoming.url.pathname === KEYS_PATH) {
      noteEnd({ status: 200, operation: "webhookKeys", complete: true });
      return new Response(JSON.stringify(sender.keySet), { headers: JSON_HEADERS });
    }
    const [, id, cancel] = path ?? [];
    const isKnown =
      id === undefined || cancel !== undefined ? method === "POST" : method === "GET" || method === "DELETE";
    if (path === null || !isKnown || (profile !== "developer" && profile !== "developer-v1")) return undefined;
    const body = tryJson(incoming.body);
    const streamed = (isFields(body) && body["stream"] === true) || incoming.url.searchParams.get("stream") === "true";
    note.answered({ operation: "interactions" });
    const refuseWith = (
      status: number,
      rule: string,
      error: unknown,
      headers?: Readonly<Record<string, string>>,
    ): Response => {
      noteEnd({ status, rule, complete: true });
      return refuse({ status, headers, body: JSON.stringify(error) }, { streamed, sse: true });
    };
    const key = checkCredentials(incoming, profile, options.keys);
    if (key !== undefined) {
      const { status, rule, body: text } = refusalOf([key], { profile, stream: false, sse: false });
      // The front end's own shape.
      return refuseWith(status, rule, [JSON.parse(text)]);
    }
    asked += 1;
    const fault = findFault(options.faults ?? [], { number: asked, path: note.path, streamed, body: note.body });
    if (fault?.kind === "slow") await wait(fault.firstByteMs, incoming.signal);
    if (fault?.kind === "status") {
      const { event_type: _type, ...error } = asInteractionError(tryJson(fault.body));
      return refuseWith(fault.status, fault.rule, error, fault.headers);
    }
    try {
      const served = await serve(incoming, id, cancel !== undefined);
      const isStream = "events" in served;
      const whole = JSON.stringify(served);
      const bodyOf = isStream
        ? frameInteraction(served.events as readonly Fields[])
        : { frames: [whole.slice(0, whole.length / 2), whole.slice(whole.length / 2)], frame: JSON.stringify };
      note.answered({ status: 200, rule: fault?.rule });
      const stream = deliver({
        body: bodyOf,
        signal: incoming.signal,
        chunkMs: isStream ? (options.delays?.chunkMs ?? 0) : 0,
        fault,
        split: options.framing?.splitBytes === true ? createRandom(`${seed} bytes ${asked}`) : undefined,
        onEnd: (complete) => {
          if (complete && isStream) settle(served.stream as Stored);
          noteEnd({ complete });
        },
      });
      return new Response(stream, {
        headers: { ...JSON_HEADERS, ...(isStream && { "content-type": "text/event-stream" }) },
      });
    } catch (error) {
      if (!(error instanceof InteractionRefusal)) throw error;
      return refuseWith(error.status, error.rule, { error: { message: error.message, code: error.word } });
    }
  };
}

/** Calls are answered once, all together, and in a history of one's own only behind a thought that was issued. */
function checkCalls(before: readonly Fields[], input: readonly Fields[], issued: ReadonlySet<string>): void {
  const open = new Set<unknown>();
  let thought: unknown;
  const nested = input.flatMap((step) =>
    step["type"] === "user_input" && Array.isArray(step["content"]) ? step["content"].filter(isFields) : [],
  );
  for (const [index, step] of [
    ...before,
    ...input,
    ...nested.filter(({ type }) => type === "function_result"),
  ].entries()) {
    const { type, signature } = step;
    const isOwn = index >= before.length;
    if (type === "user_input") thought = undefined;
    if (type === "thought") {
      thought = signature;
      if (isOwn && signature !== DUMMY && !issued.has(String(signature)))
        refuseInteraction("I-27", "Corrupted thought signature.");
    }
    if (type === "function_call") {
      if (thought === undefined) refuseInteraction("I-28", "Request contains an invalid argument.");
      open.add(step["id"]);
    }
    if (type === "function_result" && !open.delete(step["call_id"]))
      refuseInteraction("I-31", `No function call with id '${String(step["call_id"])}' is pending.`);
  }
  if (open.size > 0) refuseInteraction("I-30", "Every function call must be answered by a function_result.");
}

function signSteps(
  steps: readonly Fields[],
  model: string,
  signer: Signer,
  random: ReturnType<typeof createRandom>,
  issued: Set<string>,
): readonly Fields[] {
  let thought = "";
  let call = "";
  return steps.map((step) => {
    const type = String(step["type"]);
    const sign = (): string => signer.sign({ text: `${random.id(12)} ${JSON.stringify(step)}` }, model);
    if (type === "thought") {
      issued.add((thought = sign()));
      return { ...step, signature: thought };
    }
    if (type === "function_call") return { id: `call_${random.int(1000, 9_999_999)}`, ...step, signature: thought };
    if (type.endsWith("_call")) return { id: (call = random.id(8)), ...step, signature: sign() };
    return type.endsWith("_result") ? { call_id: call, ...step, signature: sign() } : step;
  });
}

function usageOf({ input }: InteractionRequest, steps: readonly Fields[]): object {
  const asked = estimateText(JSON.stringify(input));
  const said = steps.filter(({ type }) => type === "model_output" || type === "function_call");
  const output = estimateText(JSON.stringify(said));
  const thoughts = steps.filter(({ type }) => type === "thought").length * 40;
  const searches = steps.filter(({ type }) => type === "google_search_call").length;
  return {
    total_tokens: asked + output + thoughts,
    total_input_tokens: asked,
    input_tokens_by_modality: [{ modality: "text", tokens: asked }],
    total_cached_tokens: 0,
    total_output_tokens: output,
    total_tool_use_tokens: 0,
    total_thought_tokens: thoughts,
    raw_prompt_token: asked + 21,
    ...(searches > 0 && {
      grounding_tool_count: [{ type: "google_search", count: searches, search_query_count: searches }],
    }),
  };
}

/** A protobuf field with a text. */
function field(number: number, text: string): Buffer {
  return Buffer.from([number * 8 + 2, text.length, ...Buffer.from(text)]);
}

/** The first field of an id. */
function rootOf(id: string): string {
  const bytes = Buffer.from(id.slice(3), "base64url");
  return bytes.subarray(2, 2 + (bytes[1] ?? 0)).toString();
}
