import type { Subject } from "./subject.ts";

/**
 * Rules that the Developer API was recorded not to apply, and the newest generation it was seen with. Its older models are taken to do
 * the same; newer ones and Vertex are not.
 */
const SEEN = {
  /** A model content without parts. */
  "E-05": 2.5,
  /** A part of the model with nothing but a signature: SDKs drop an empty text. */
  "E-06": 3.1,
  /** A function response without `response`. */
  "E-18": 3.5,
  /** Parameters of type object without properties, beside other functions. */
  "E-21": 2.5,
  /** URL context beside functions without the flag, in an older recording of this one model. */
  "E-35": "gemini-3-pro-preview",
} as const;

/** Whether this request may break a rule in the way that was recorded. */
export function isExcepted(rule: keyof typeof SEEN, { model, surface, switches }: Subject): boolean {
  if (switches.exceptions !== "seen") return switches.exceptions === "accept";
  const newest = SEEN[rule];
  return surface === "developer" && (typeof newest === "string" ? model.id === newest : model.generation <= newest);
}
