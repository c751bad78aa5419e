import type { CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import { ApiClient, readPages } from "../../wire/client.ts";
import type { ListModelsResponse, ModelInfo } from "../../wire/types/resources.ts";
import { inferCapabilities, type ModelCapabilities } from "../../wire/known-models.ts";

/** A model as the service lists it, with the capabilities that this library infers. */
export interface ListedModel extends ModelInfo {
  /** To pass as `model`: the name without `models/`. */
  readonly id: string;
  readonly capabilities: ModelCapabilities;
}

/** Options of {@link listModels}: the client's options, and a signal. */
export type ListModelsOptions = GeminiClientOptions & CallSignal;

/**
 * Lists the models that a key may use; pages are requested as they are read.
 * @throws {ConfigurationError} When there is no key.
 * @throws {ApiStatusError} When the endpoint does not list models.
 * @see https://ai.google.dev/api/models#method:-models.list
 */
export async function* listModels(options: ListModelsOptions = {}): AsyncGenerator<ListedModel, void, void> {
  const client = new ApiClient(options);
  const get = (path: string): Promise<ListModelsResponse> =>
    client.object({ operation: "listModels", method: "GET", path }, { signal: options.signal });
  for await (const page of readPages(client.endpoint.modelsPath, 1000, get)) {
    for (const info of page.models ?? page.publisherModels ?? []) {
      const id = info.name.replace(/^(?:publishers\/google\/)?models\//, "");
      yield { ...info, id, capabilities: inferCapabilities(id) };
    }
  }
}
