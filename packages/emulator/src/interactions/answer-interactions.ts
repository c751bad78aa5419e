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
import type { Signer } from "../signatures.ts";
import { callerOf, checkCredentials } from "../validate/auth.ts";
import { refuse as refusalOf } from "../validate/error-body.ts";
import type { Profile } from "../validate/types.ts";
import { toBrainRequest, toSteps } from "./brain-steps.ts";
import { checkInteraction, type InteractionRequest } from "./check-interaction.ts";
import { asInteractionError, eventsOf, frameInteraction, isEnd, resumeAfter } from "./interaction-events.ts";
import { InteractionRefusal, refuseInteraction } from "./interaction-rules.ts";
import {
  describeInteraction,
  InteractionStore,
  type Outcome,
  settle,
  type StoredInteraction,
} from "./interaction-state.ts";
import { research, type ResearchScript } from "./research.ts";
import { type ProjectWebhook, WebhookSender } from "./webhook-sender.ts";

/** Options of the Interactions API. */
export interface InteractionOptions {
  /** Scripts agents, for tests. Default: the emulator makes up the research from the question. */
  readonly research?: ((request: InteractionRequest) => ResearchScript | undefined) | undefined;
  /** How many times `GET` reports background work as in progress. With a webhook, the work ends at once. Default: 1. */
  readonly polls?: number | undefined;
  /** A stream with `last_event_id` repeats the whole answer, as the service has been seen to do, or sends the rest. Default: `replay`. */
  readonly resume?: "replay" | "exact" | undefined;
  /** The webhook of the project. Default: none; requests may name their own. */
  readonly webhook?: ProjectWebhook | undefined;
}

/** Answers requests to the Interactions API; undefined for any other. */
export type AnswerInteractions = (
  incoming: IncomingRequest,
  note: Note,
  noteEnd: (changes: Partial<LoggedRequest["answered"]>) => void,
) => Promise<Response | undefined>;

/** The parts of an emulator that the API needs. */
export interface InteractionContext {
  readonly profile: Profile;
  readonly seed: string;
  readonly signer: Signer;
  brain(): Brain;
}

/** JSON, or the events of an interaction. */
type Served = { readonly body: Fields } | { readonly streams: StoredInteraction; readonly events: readonly Fields[] };

const PATH = /^\/(?:v1|v1beta)\/interactions(?:\/([^/]+)(\/cancel)?)?$/;
const KEYS_PATH = "/.well-known/jwks.json";
const HEADERS = { "content-type": "application/json", server: "scaffolding on HTTPServer2", vary: "Origin" };

/** Creates the Interactions API of one emulator, with its own state. */
export function createInteractions(options: EmulatorOptions, context: InteractionContext): AnswerInteractions {
  const { profile, seed, signer } = context;
  const { polls = 1, resume = "replay", webhook, research: script } = options.interactions ?? {};
  const now = options.now ?? (() => new Date());
  const store = new InteractionStore(createRandom(`${seed} interactions`), signer);
  const sender = new WebhookSender(webhook);
  let count = 0;
  let number = 0;

  async function outcomeOf(
    request: InteractionRequest,
    before: readonly Fields[],
    incoming: IncomingRequest,
  ): Promise<Outcome> {
    const { model = "", raw, stream: streamed, previous } = request;
    const { url, signal } = incoming;
    if (request.agent !== undefined) {
      const config = previous && store.find(previous, incoming).request.raw["agent_config"];
      const isPlanned = isFields(config) && config["collaborative_planning"] === true;
      const found = research(request, isPlanned ? before : [], script?.(request));
      return { ...found, steps: store.sign(found.steps, "agent") };
    }
    number += 1;
    const brainRequest = toBrainRequest(request, before);
    const facts = {
      number,
      request: brainRequest,
      raw,
      model: closestModel(model),
      profile,
      streamed,
      path: url.pathname,
      seed,
      signal,
    };
    const answer = await context.brain().answer(createTurn(facts));
    const steps = store.sign(
      toSteps(answer, brainRequest.generationConfig?.thinkingConfig?.includeThoughts === true),
      model,
    );
    const ends = answer.finishReason === "MAX_TOKENS" ? "incomplete" : "completed";
    return { status: steps.some(({ type }) => type === "function_call") ? "requires_action" : ends, steps };
  }

  async function create(incoming: IncomingRequest): Promise<StoredInteraction> {
    const request = checkInteraction(tryJson(incoming.body));
    const before = store.before(request, incoming);
    const outcome = await outcomeOf(request, before, incoming);
    const status = request.background ? "in_progress" : outcome.status;
    const id = store.newId(request.previous);
    const one = { id, owner: callerOf(incoming), request, before, created: now(), outcome, status, polls };
    store.add(one);
    const isReported = webhook !== undefined || request.raw["webhook_config"] !== undefined;
    if (request.background && isReported) setTimeout(() => settle(one, sender, now()), 0);
    return one;
  }

  /** @param leading - Puts the input before the steps, as in answers to `GET`. */
  function show(one: StoredInteraction, leading = false, hasInput = false): Served {
    const { status, object, ...about } = describeInteraction(one);
    const { input } = one.request;
    const { webhook_config: config, model, agent, ...head } = about;
    const steps = [
      ...(leading ? input : []),
      ...(status === "in_progress" || status === "cancelled" ? [] : one.outcome.steps),
    ];
    const { id, ...rest } = head;
    const tail = {
      object,
      ...(hasInput && { input }),
      ...(config !== undefined && { webhook_config: config }),
      ...(agent === undefined ? { model } : { agent }),
    };
    return { body: { ...(id !== undefined && { id }), status, ...rest, ...(steps.length > 0 && { steps }), ...tail } };
  }

  async function serve(incoming: IncomingRequest, id: string | undefined, isCancel: boolean): Promise<Served> {
    const query = incoming.url.searchParams;
    const size = Math.max(2, options.deltaCharacters ?? 32);
    const created = id === undefined ? await create(incoming) : undefined;
    const one = created ?? store.find(id ?? "", incoming);
    const { request, outcome } = one;
    if (created !== undefined) {
      if (!request.stream || request.background) return show(one);
      const shown = { about: describeInteraction(one), steps: outcome.steps };
      return { streams: one, events: eventsOf(shown, { size, hasIds: false, hasEnd: true }) };
    }
    if (isCancel) {
      const advice = "Only background interactions that are running can be cancelled.";
      if (one.status !== "in_progress") throw new InteractionRefusal("I-36", advice, "failed_precondition");
      settle(one, sender, now(), "cancelled");
      return show(one);
    }
    if (incoming.method.toUpperCase() === "DELETE") {
      store.delete(one.id);
      return { body: {} };
    }
    const lastEventId = query.get("last_event_id");
    if (query.get("stream") !== "true") {
      if (lastEventId !== null) refuseInteraction("I-35", "last_event_id requires stream=true.");
      if (one.polls > 0) one.polls -= 1;
      else settle(one, sender, now());
      return show(one, true, query.get("include_input") === "true");
    }
    const status = one.status === "in_progress" ? outcome.status : one.status;
    const layout = { size, hasIds: request.background, hasEnd: status !== "in_progress" };
    const shown = {
      about: describeInteraction({ ...one, status }),
      steps: status === "cancelled" ? [] : outcome.steps,
    };
    if (lastEventId === null) return { streams: one, events: eventsOf(shown, layout) };
    const rest = resumeAfter(shown, layout, lastEventId, resume === "replay");
    return { streams: one, events: rest ?? refuseInteraction("I-38", `Invalid last_event_id '${lastEventId}'.`) };
  }

  return async (incoming, note, noteEnd) => {
    const { url, method } = incoming;
    if (url.pathname === KEYS_PATH) {
      noteEnd({ status: 200, operation: "webhookKeys", complete: true });
      return new Response(JSON.stringify(sender.keySet), { headers: HEADERS });
    }
    const [path, id, cancel] = PATH.exec(url.pathname) ?? [];
    const methods = id === undefined || cancel !== undefined ? ["POST"] : ["GET", "DELETE"];
    if (path === undefined || !methods.includes(method.toUpperCase()) || !profile.startsWith("developer"))
      return undefined;
    const streamed = (isFields(note.body) && note.body["stream"] === true) || url.searchParams.get("stream") === "true";
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
      const { status, rule, body } = refusalOf([key], { profile, stream: false, sse: false });
      // Google's front end sends its errors in a list.
      return refuseWith(status, rule, [JSON.parse(body)]);
    }
    count += 1;
    const fault = findFault(options.faults ?? [], { number: count, path: note.path, streamed, body: note.body });
    if (fault?.kind === "slow") await wait(fault.firstByteMs, incoming.signal);
    if (fault?.kind === "status") {
      const { event_type: _type, ...error } = asInteractionError(tryJson(fault.body));
      return refuseWith(fault.status, fault.rule, error, fault.headers);
    }
    try {
      const served = await serve(incoming, id, cancel !== undefined);
      const events = "events" in served ? served : undefined;
      const whole = JSON.stringify("body" in served ? served.body : {});
      const middle = whole.length / 2;
      note.answered({ status: 200, rule: fault?.rule });
      const body = deliver({
        body: events
          ? frameInteraction(events.events)
          : { frames: [whole.slice(0, middle), whole.slice(middle)], frame: JSON.stringify },
        signal: incoming.signal,
        chunkMs: events ? (options.delays?.chunkMs ?? 0) : 0,
        fault,
        split: options.framing?.splitBytes === true ? createRandom(`${seed} bytes ${count}`) : undefined,
        onFrame: (frame) => {
          if (events && isEnd(frame)) settle(events.streams, sender, now());
        },
        onEnd: (complete) => noteEnd({ complete }),
      });
      return new Response(body, { headers: { ...HEADERS, ...(events && { "content-type": "text/event-stream" }) } });
    } catch (error) {
      if (!(error instanceof InteractionRefusal)) throw error;
      return refuseWith(error.status, error.rule, { error: { message: error.message, code: error.word } });
    }
  };
}
