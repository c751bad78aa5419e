import { ConfigurationError } from "../errors/agent-error.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import type { ModelCapabilities } from "./capabilities.ts";
import type { ModelSettings } from "./settings.ts";

/** Family names of models before Gemini 3. */
const OLDER = /^(?:gemini-[12]|gemma|speech)$/;
const TIERS = ["flex", "standard", "priority"];

/**
 * Refuses settings that cannot work on an endpoint. A gateway is asked for everything but what only Vertex itself has.
 *
 * @param kind - Absent checks only what holds everywhere.
 * @throws {ConfigurationError} Naming the setting and what to do.
 */
export function checkForEndpoint(
  settings: ModelSettings,
  capabilities: ModelCapabilities,
  modelId: string,
  kind: EndpointKind | undefined,
): void {
  const { serviceTier, safetySettings = [] } = settings;
  if (serviceTier !== undefined && !TIERS.includes(serviceTier))
    throw new ConfigurationError(`serviceTier is ${JSON.stringify(serviceTier)}: use one of ${TIERS.join(", ")}.`);
  if (kind === "vertex" && serviceTier !== undefined)
    throw new ConfigurationError("serviceTier works on the Developer API only: leave it out on Vertex.");
  if (kind === "developer") {
    if (/^gemini-[12]$/.test(capabilities.family)) {
      const penalty = settings.presencePenalty === undefined ? "frequencyPenalty" : "presencePenalty";
      if (settings[penalty] !== undefined)
        throw new ConfigurationError(`${modelId} does not take ${penalty} on the Developer API: leave it out.`);
    }
    if (settings.responseLogprobs === true)
      throw new ConfigurationError(
        "responseLogprobs: no model shows log probabilities on the Developer API; leave it out, or use Vertex.",
      );
    if (safetySettings.some(({ method }) => method !== undefined))
      throw new ConfigurationError("safetySettings: `method` works on Vertex only; leave it out.");
    const image = safetySettings.find(({ category }) => category.startsWith("HARM_CATEGORY_IMAGE_"));
    if (image !== undefined)
      throw new ConfigurationError(`safetySettings: ${image.category} works on Vertex only; leave it out.`);
  }
  if (settings.streamFunctionCallArguments !== true) return;
  if (kind === "developer" || kind === "gateway")
    throw new ConfigurationError(
      "streamFunctionCallArguments works on Vertex only: leave it out, calls arrive whole here.",
    );
  if (OLDER.test(capabilities.family))
    throw new ConfigurationError(
      `${modelId} does not stream the arguments of calls: leave streamFunctionCallArguments out, or take Gemini 3 or newer.`,
    );
}
