import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useInspector } from "../app/inspector.ts";
import type { CompareRoute } from "../app/route.ts";
import { Button } from "../acting/parts.tsx";

/** Toggles a checkbox; a third one replaces the first of two. */
export function tick(ticked: Signal<readonly string[]>, id: string): void {
  const { value } = ticked;
  ticked.value = value.includes(id) ? value.filter((one) => one !== id) : [...value, id].slice(-2);
}

interface TickBoxProps {
  readonly ticked: Signal<readonly string[]>;
  readonly id: string;
  readonly label: string;
}

/** A checkbox in a row of a list, to select it for a comparison. */
export function TickBox({ ticked, id, label }: TickBoxProps): JSX.Element {
  return (
    <input
      type="checkbox"
      class="tick"
      aria-label={`Compare ${label}`}
      title="Select to compare (x)"
      tabIndex={-1}
      checked={ticked.value.includes(id)}
      onClick={(event) => {
        event.stopPropagation();
        tick(ticked, id);
      }}
    />
  );
}

interface CompareTickedProps {
  readonly ticked: Signal<readonly string[]>;
  readonly what: string;
  readonly routeOf: (left: string, right: string) => CompareRoute;
}

/** Shown once a row is selected. @param routeOf - Returns the route of the comparison. */
export function CompareTicked({ ticked, what, routeOf }: CompareTickedProps): JSX.Element | null {
  const inspector = useInspector();
  const [left, right] = ticked.value;
  if (left === undefined) return null;
  return (
    <Button
      say={`Compare ${ticked.value.length} of 2`}
      disabled={right === undefined}
      title={right === undefined ? `Select another ${what} to compare` : `Compare both ${what}s`}
      onClick={() => right !== undefined && inspector.go(routeOf(left, right))}
    />
  );
}
