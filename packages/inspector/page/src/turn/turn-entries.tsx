import { useSignal } from "@preact/signals";
import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import type { TurnDetails } from "../../../src/inspection/turn-details.ts";
import { JsonCode } from "../ui/code.tsx";

/** The entries of the log that belong to a turn. */
export function TurnEntries({ details }: { readonly details: TurnDetails }): JSX.Element {
  return (
    <ul class="entries stack is-tight">
      {details.entries.map(({ position, entry }) => (
        <li key={position}>
          <Entry position={position} entry={entry} />
        </li>
      ))}
    </ul>
  );
}

function Entry({ position, entry }: { readonly position: number; readonly entry: Json }): JSX.Element {
  // Renders only open entries.
  const isOpen = useSignal(false);
  return (
    <details onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary class="mono">
        <span class="dim">{position}</span> {describeEntry(entry)}
      </summary>
      {isOpen.value && <JsonCode value={entry} label={`Entry ${position}`} />}
    </details>
  );
}

/** A few words about an entry of a log. */
export function describeEntry(entry: Json): string {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "not an entry";
  const { type, step, answer, callId, stopReason, unreadable } = entry as { readonly [name: string]: unknown };
  if (typeof unreadable === "string") return `unreadable: ${unreadable}`;
  const about = [step, answer, callId, stopReason].find((one) => typeof one === "string");
  return [type, about].filter((one) => typeof one === "string").join(" ") || "not an entry";
}
