import type { ComponentChildren, JSX } from "preact";
import type { TurnRow } from "../../../src/inspection/inspection.ts";
import type { NoteView } from "../../../src/inspection/turn-details.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import type { SessionModel } from "../session/session-model.ts";
import { whyEnded } from "../ui/endings.tsx";

/** A turn of a run of a session. */
export interface TurnPlace {
  readonly session: SessionModel;
  readonly runId: string;
  readonly row: TurnRow;
}

/** Why the run ended after its last turn, unless it was finished. */
export function RunEnd({ place: { session, runId, row } }: { readonly place: TurnPlace }): JSX.Element | null {
  const run = session.runs.value.find((one) => one.runId === runId);
  if (run === undefined || run.turns.at(-1)?.turn !== row.turn) return null;
  const why = whyEnded(run);
  if (why === undefined) return null;
  return <p class={`banner ${run.error === undefined ? "is-odd" : "is-error"}`}>The run ended here: {why}</p>;
}

/** What happened in a turn, in sentences. */
export function Notes({
  place,
  notes,
}: {
  readonly place: TurnPlace;
  readonly notes: readonly NoteView[];
}): JSX.Element | null {
  if (notes.length === 0) return null;
  return (
    <ul class="turn-notes" aria-label="What happened">
      {notes.map((note, index) => (
        <Note key={index} place={place} note={note} />
      ))}
    </ul>
  );
}

function Note({ place, note }: { readonly place: TurnPlace; readonly note: NoteView }): JSX.Element {
  const { kind, step, text } = note;
  const broken = kind === "prefix-break" ? brokenRequest(place, step) : undefined;
  return (
    <li class={`note note-${kind}`}>
      {text}
      {step !== undefined && <span class="mono dim"> {step}</span>}
      {broken !== undefined && (
        <>
          {" "}
          <WireLink place={place} n={broken}>
            See what changed
          </WireLink>
        </>
      )}
    </li>
  );
}

/** The kept request of a step whose prefix broke. */
function brokenRequest({ session, runId }: TurnPlace, step: string | undefined): number | undefined {
  const found = session.exchanges.value.find(
    (row) => row.brokenAt !== undefined && row.runId === runId && row.step === step,
  );
  return found?.n;
}

/** Shows a request of the turn. */
export function WireLink({
  place: { session, runId, row },
  n,
  children,
}: {
  readonly place: TurnPlace;
  readonly n: number;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <a href={formatRoute(turnRoute(session.id, { runId }, row, { tab: "wire", item: n }))}>{children}</a>;
}
