import type { StepPlace } from "@pollux/core/durable";
import { fieldsOf, numberOf, textOf } from "./read-values.ts";

/** Where a step stands in its run; `other` for what no run makes, as far as this release knows. */
export type ReadPlace = StepPlace | { readonly kind: "other" };

/** The place in an entry of any condition. */
export function readPlace(entry: unknown): ReadPlace {
  const place = fieldsOf(fieldsOf(entry)["place"]);
  const kind = textOf(place["kind"]) ?? "";
  const members = Object.hasOwn(MEMBERS, kind) ? MEMBERS[kind as StepPlace["kind"]] : undefined;
  const isWhole =
    numberOf(place["turn"]) !== undefined &&
    members?.every((name) => ["string", "number"].includes(typeof place[name]));
  // Checked as far as readers depend on it.
  return isWhole === true ? (place as unknown as StepPlace) : OTHER;
}

const OTHER: ReadPlace = { kind: "other" };

/** What a place of each kind has besides its turn. */
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
