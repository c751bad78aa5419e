import type { JSX } from "preact";
import type { RunRow } from "../../../src/inspection/inspection.ts";
import { SelectField } from "./parts.tsx";

/** Runs that can be chosen, from the last one back. */
const MAX_CHOICES = 500;

/** One of a session's runs, by its id. */
export function RunSelect({
  runs,
  value,
  onChange,
}: {
  readonly runs: readonly RunRow[];
  readonly value: string;
  readonly onChange: (runId: string) => void;
}): JSX.Element {
  const first = Math.max(0, runs.length - MAX_CHOICES) + 1;
  const options = runs
    .slice(-MAX_CHOICES)
    .map(({ runId, input }, index) => [runId, `${first + index}. ${input.slice(0, 80)}`] as const);
  return <SelectField label="Run" value={value} onChange={onChange} options={options} />;
}
