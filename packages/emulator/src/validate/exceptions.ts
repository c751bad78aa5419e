import type { Subject } from "./subject.ts";

/**
 * Rules that the Developer API does not apply in recordings, and the newest generation recorded. The emulator assumes the same of
 * older models there, but not of newer ones and of Vertex.
 */
const SEEN = {
  /** A model content without parts. */
  "E-05": 2.5,
  /** A model's part with nothing but a signature: SDKs drop an empty text. */
  "E-06": 3.1,
  /** A function response without `response`. */
  "E-18": 3.5,
  /** Parameters of type object without properties, together with other functions. */
  "E-21": 2.5,
  /** URL context with functions and without the flag, in an older recording of this one model. */
  "E-35": "gemini-3-pro-preview",
} as const;

/** Whether a recorded exception to a rule covers this request. */
export function isExcepted(rule: keyof typeof SEEN, { model, surface, switches }: Subject): boolean {
  if (switches.exceptions !== "seen") return switches.exceptions === "accept";
  const newest = SEEN[rule];
  return surface === "developer" && (typeof newest === "string" ? model.id === newest : model.generation <= newest);
}
