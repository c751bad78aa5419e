import { AgentError } from "./agent-error.ts";

/** Something is missing or cannot work as configured: no key, a thinking level the model does not take. Thrown before any request. */
export class ConfigurationError extends AgentError {
  override readonly code = "configuration";
}
