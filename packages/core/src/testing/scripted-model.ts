import { abortable } from "../internal/abort.ts";
import { PartCollector } from "../model/response/parts.ts";
import { inferCapabilities, type ModelCapabilities } from "../wire/known-models.ts";
import { checkSettings, type ModelSettings } from "../model/settings.ts";
import type { Model, ModelRequest, ModelResponse, RespondOptions } from "../model/model.ts";
import { readUsage } from "../model/usage.ts";
import type { Part } from "../wire/types/content.ts";
import type { UsageMetadata } from "../wire/types/generate-content.ts";
import type { ScriptedTurn } from "./turns.ts";

/** A turn, or a function that makes one from the request. It may be async; the model throws what it throws. */
export type ScriptLine = ScriptedTurn | ((request: ModelRequest) => ScriptedTurn | Promise<ScriptedTurn>);

/** Options of {@link ScriptedModel.with}. */
export interface ScriptedModelOptions {
  /** @defaultValue "gemini-scripted" */
  readonly id?: string | undefined;
  /** Override the capabilities of the id's family. */
  readonly capabilities?: Partial<ModelCapabilities> | undefined;
  /** Implements {@link ScriptedModel.check}; throws to reject settings. @defaultValue rejects what a real model of these capabilities rejects */
  readonly check?: ((settings: ModelSettings) => void) | undefined;
}

const DEFAULT_USAGE: UsageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };

/**
 * A model that answers from a script, one entry per request, and records the requests.
 * @example
 * ```ts
 * const model = new ScriptedModel(call("get_weather", { city: "Oslo" }), say("It is ", "21 °C."));
 * const result = await new Agent({ model, tools: [getWeather] }).run("Weather in Oslo?");
 * model.assertSpent();
 * ```
 */
export class ScriptedModel implements Model {
  readonly #script: readonly ScriptLine[];
  readonly #requests: ModelRequest[] = [];
  #options: ScriptedModelOptions = {};
  #capabilities: ModelCapabilities | undefined;

  constructor(...script: readonly ScriptLine[]) {
    this.#script = script;
  }

  /** A scripted model with another id or other capabilities. */
  static with(options: ScriptedModelOptions, ...script: readonly ScriptLine[]): ScriptedModel {
    const model = new ScriptedModel(...script);
    model.#options = options;
    return model;
  }

  get id(): string {
    return this.#options.id ?? "gemini-scripted";
  }

  get capabilities(): ModelCapabilities {
    this.#capabilities ??= { ...inferCapabilities(this.id), ...this.#options.capabilities };
    return this.#capabilities;
  }

  /** Deep copies of all requests so far, oldest first. */
  get requests(): readonly ModelRequest[] {
    return this.#requests;
  }

  check(settings: ModelSettings): void {
    if (this.#options.check === undefined) checkSettings(settings, this.capabilities, this.id);
    else this.#options.check(settings);
  }

  /** @throws {Error} When entries of the script were never requested. */
  assertSpent(): void {
    const left = this.#script.length - this.#requests.length;
    if (left > 0) throw new Error(`${left} of the script's ${this.#script.length} turns were never requested`);
  }

  async respond(request: ModelRequest, { signal, onParts }: RespondOptions): Promise<ModelResponse> {
    signal.throwIfAborted();
    const copy = structuredClone(request);
    this.#requests.push(copy);
    const { batches, end, ...rest } = await this.#nextTurn(copy, signal);
    for (const batch of batches) {
      // Each batch arrives in its own microtask, as from a network.
      await abortable(Promise.resolve(), signal);
      await onParts?.(batch);
    }
    signal.throwIfAborted();
    if (end?.type === "error") throw end.error;
    if (end?.type === "hang") return await abortable(new Promise<never>(() => {}), signal);
    return buildResponse(batches.flat(), rest, this.id, this.#requests.length);
  }

  async #nextTurn(request: ModelRequest, signal: AbortSignal): Promise<ScriptedTurn> {
    const entry = this.#script[this.#requests.length - 1];
    if (entry === undefined) {
      const last = JSON.stringify(request.contents.at(-1))?.slice(0, 300);
      throw new Error(
        `the script has ${this.#script.length} turns, but the model was asked ${this.#requests.length} times; the last content was ${last}`,
      );
    }
    return typeof entry === "function" ? await abortable(Promise.resolve(entry(request)), signal) : entry;
  }
}

function buildResponse(
  parts: readonly Part[],
  turn: Omit<ScriptedTurn, "batches" | "end">,
  id: string,
  count: number,
): ModelResponse {
  const { finishReason = "STOP", finishMessage, candidate, usage = DEFAULT_USAGE } = turn;
  const gathered = new PartCollector();
  gathered.add(parts);
  const message = finishMessage === undefined ? {} : { finishMessage };
  return {
    content: { role: "model", parts: gathered.parts() },
    finishReason,
    ...message,
    usage: readUsage(usage, candidate?.groundingMetadata?.webSearchQueries?.length ?? 0),
    candidate: { finishReason, ...message, ...candidate },
    envelope: { usageMetadata: usage, modelVersion: id, responseId: `scripted-${count}` },
  };
}
