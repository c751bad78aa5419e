import type { StepPlace } from "@pollux/core/durable";
import { fieldsOf, numberOf, textOf } from "./read-values.ts";

/** Where a step stands in its run; `other` for a kind that this release does not know. */
export type ReadPlace = StepPlace | { readonly kind: "other" };

/** The place in any entry, even a damaged one. */
export function readPlace(entry: unknown): ReadPlace {
  const place = fieldsOf(fieldsOf(entry)["place"]);
  const kind = textOf(place["kind"]) ?? "";
  const members = Object.hasOwn(MEMBERS, kind) ? MEMBERS[kind as StepPlace["kind"]] : undefined;
  const isWhole =
    numberOf(place["turn"]) !== undefined &&
    members?.every((name) => ["string", "number"].includes(typeof place[name]));
  // The members that readers use were checked.
  return isWhole === true ? (place as unknown as StepPlace) : OTHER;
}

const OTHER: ReadPlace = { kind: "other" };

/** Members of each kind of place besides `turn`. */
const MEMBERS: { readonly [Kind in StepPlace["kind"]]: readonly string[] } = {
  model: ["phase", "attempt"],
  call: ["callId", "attempt"],
  wait: ["callId", "question"],
  hook: ["callId"],
  route: [],
  reroute: ["callId"],
  compact: [],
  guard: ["side"],
  inner: ["callId", "name"],
};
