import type { IncomingRequest } from "../incoming-request.ts";
import { type Fields, isFields } from "../internal/json.ts";
import type { Random } from "../internal/random.ts";
import { estimateText } from "../respond/tokens.ts";
import type { Signer } from "../signatures.ts";
import { callerOf } from "../validate/auth.ts";
import type { InteractionRequest } from "./check-interaction.ts";
import { InteractionRefusal, refuseInteraction } from "./interaction-rules.ts";
import type { WebhookSender } from "./webhook-sender.ts";

/** How an interaction ends. */
export interface Outcome {
  readonly status: string;
  readonly steps: readonly Fields[];
  readonly errors?: readonly object[] | undefined;
}

/** An interaction, as the emulator stores it. */
export interface StoredInteraction {
  readonly id: string;
  readonly owner: string;
  readonly request: InteractionRequest;
  /** Steps of earlier turns. */
  readonly before: readonly Fields[];
  readonly created: Date;
  readonly outcome: Outcome;
  status: string;
  /** How many more polls report it as in progress. */
  polls: number;
}

const DUMMY = "skip_thought_signature_validator";

/** The interactions of one emulator, by id. */
export class InteractionStore {
  readonly #stored = new Map<string, StoredInteraction>();
  readonly #issued = new Set<unknown>([DUMMY]);
  readonly #random: Random;
  readonly #signer: Signer;

  constructor(random: Random, signer: Signer) {
    this.#random = random;
    this.#signer = signer;
  }

  /** An interaction of the caller. @throws {InteractionRefusal} With this rule if there is none. */
  find(id: string, incoming: IncomingRequest, rule = "I-37"): StoredInteraction {
    const found = this.#stored.get(id);
    if (found !== undefined && found.owner === callerOf(incoming)) return found;
    if (!/^v1_[\w-]{20,}$/.test(id)) refuseInteraction("I-11", `Invalid interaction name: interactions/${id}`);
    throw new InteractionRefusal(rule, `Interaction ${id} not found.`, "not_found", 404);
  }

  add(one: StoredInteraction): void {
    if (one.request.store) this.#stored.set(one.id, one);
  }

  delete(id: string): void {
    this.#stored.delete(id);
  }

  /** A new id, which also contains the root of its chain. */
  newId(previous: string | undefined): string {
    const own = this.#random.id(22);
    const before = Buffer.from((previous ?? "").slice(3), "base64url");
    const root = previous === undefined ? own : before.subarray(2, 2 + (before[1] ?? 0)).toString();
    const field = (number: number, text: string): Buffer =>
      Buffer.from([number * 8 + 2, text.length, ...Buffer.from(text)]);
    return `v1_${Buffer.concat([field(1, root), field(2, own)]).toString("base64url")}`;
  }

  /** The steps before a request, which must answer all of their calls, each once. A call must follow a thought that this emulator issued. */
  before({ previous, input }: InteractionRequest, incoming: IncomingRequest): readonly Fields[] {
    const found = previous === undefined ? undefined : this.find(previous, incoming, "I-33");
    if (found?.status === "in_progress") refuseInteraction("I-34", `Interaction ${previous} is still in progress.`);
    const before = found === undefined ? [] : [...found.before, ...found.request.input, ...found.outcome.steps];
    const nested = input.flatMap(({ content }) => (Array.isArray(content) ? content.filter(isFields) : []));
    const open = new Set<unknown>();
    let afterThought = false;
    for (const { type, signature, id, call_id: callId } of [...before, ...input, ...nested]) {
      if (type === "user_input" || type === "thought") afterThought = type === "thought";
      if (type === "thought" && !this.#issued.has(signature)) refuseInteraction("I-27", "Corrupted thought signature.");
      if (type === "function_call" && !afterThought) refuseInteraction("I-28", "Request contains an invalid argument.");
      if (type === "function_call") open.add(id);
      if (type === "function_result" && !open.delete(callId))
        refuseInteraction("I-31", `No function call with id '${String(callId)}' is pending.`);
    }
    if (open.size > 0) refuseInteraction("I-30", "Every function call must be answered by a function_result.");
    return before;
  }

  /** Adds ids and signatures to steps. A function call has the signature of the thought before it. */
  sign(steps: readonly Fields[], family: string): readonly Fields[] {
    let thought = "";
    let call = "";
    return steps.map((step) => {
      const type = String(step["type"]);
      const sign = (): string => this.#signer.sign({ text: `${this.#random.id(12)} ${JSON.stringify(step)}` }, family);
      if (type === "thought") {
        this.#issued.add((thought = sign()));
        return { ...step, signature: thought };
      }
      if (type === "function_call")
        return { id: `call_${this.#random.int(1000, 9_999_999)}`, ...step, signature: thought };
      if (type.endsWith("_call")) return { id: (call = this.#random.id(8)), ...step, signature: sign() };
      return type.endsWith("_result") ? { call_id: call, ...step, signature: sign() } : step;
    });
  }
}

/** Ends background work, and reports that to webhooks. */
export function settle(
  one: StoredInteraction,
  sender: WebhookSender,
  at: Date,
  status: string = one.outcome.status,
): void {
  if (one.status !== "in_progress" || status === "in_progress") return;
  one.status = status;
  const config = one.request.raw["webhook_config"];
  const { uris, user_metadata: userMetadata } = isFields(config) ? config : {};
  const { code, message } = { ...one.outcome.errors?.[0] } as Fields;
  const fields = status === "failed" ? { error_code: code, error_message: message } : {};
  const type = `interaction.${status === "incomplete" ? "completed" : status}`;
  void sender.send({
    type,
    at,
    data: { id: one.id, ...fields },
    userMetadata,
    uris: Array.isArray(uris) ? uris.map(String) : [],
  });
}

/** An interaction without its steps, in the order of the wire. */
export function describeInteraction({ id, request, created, status, outcome }: StoredInteraction): Fields {
  const { model, agent, store, raw } = request;
  const at = `${created.toISOString().slice(0, 19)}Z`;
  return {
    ...(store && { id }),
    status,
    ...(status !== "in_progress" && { usage: usageOf(request, outcome.steps) }),
    created: at,
    updated: at,
    ...(agent === undefined && { service_tier: "standard" }),
    ...(status === "failed" && { errors: outcome.errors }),
    object: "interaction",
    ...(raw["webhook_config"] !== undefined && { webhook_config: raw["webhook_config"] }),
    ...(agent === undefined ? { model } : { agent }),
  };
}

function usageOf({ input }: InteractionRequest, steps: readonly Fields[]): object {
  const countOf = (wanted: string): number => steps.filter(({ type }) => type === wanted).length;
  const tokens = estimateText(JSON.stringify(input));
  const output = estimateText(JSON.stringify(steps.flatMap(({ content }) => content ?? [])));
  const thoughts = 40 * countOf("thought");
  const count = countOf("google_search_call");
  return {
    total_tokens: tokens + output + thoughts,
    total_input_tokens: tokens,
    input_tokens_by_modality: [{ modality: "text", tokens }],
    total_cached_tokens: 0,
    total_output_tokens: output,
    total_tool_use_tokens: 0,
    total_thought_tokens: thoughts,
    raw_prompt_token: tokens + 21,
    ...(count > 0 && { grounding_tool_count: [{ type: "google_search", count, search_query_count: count }] }),
  };
}
