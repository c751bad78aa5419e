import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useTask } from "../acting/use-task.ts";
import { TaskError, Button } from "../acting/parts.tsx";
import { useInspector } from "../app/inspector.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import { SessionContext, SessionModel, type TurnProps, useSession, useTurn } from "../session/session-model.ts";
import { TurnContents } from "../turn/turn-contents.tsx";
import { JsonDetails } from "../ui/code.tsx";
import { formatDuration, formatTokens, turnTitle } from "../ui/format.ts";
import { Money } from "../ui/money.tsx";
import { ErrorBanner, Waiting } from "../ui/notes.tsx";
import { EndingBadge } from "../ui/endings.tsx";

/** Turns to show in full; earlier ones are in the session's own view. */
const TURNS = 12;

/** The live session of the playground. */
export function PlayedSession({ id }: { readonly id: string }): JSX.Element {
  const { source } = useInspector().open.value;
  const session = useMemo(() => new SessionModel(source, id), [source, id]);
  useEffect(() => session.start(), [session]);
  const task = useTask<void>();
  const overview = session.overview.value;
  const error = session.error.value;
  if (overview === undefined) return <Waiting error={error} />;
  const act = (action: "stop" | "resume"): void =>
    task.start(async () => {
      await source.act(id, action, {});
      await session.refresh();
    });
  const turns = overview.runs
    .filter(({ takenBack }) => takenBack !== true)
    .flatMap((run) => run.turns.map((turn) => ({ run, turn })))
    .slice(-TURNS);
  const draft = session.draft.value;
  const last = overview.runs.at(-1);
  return (
    <SessionContext.Provider value={session}>
      <section class="played stack" aria-label="Session">
        <div class="buttons wrap">
          <EndingBadge ending={overview.ending} />
          <a href={formatRoute({ kind: "session", id, tab: "" })}>Inspect {id}</a>
          {overview.state === "running" && <Button say="Stop run" disabled={task.isBusy} onClick={() => act("stop")} />}
          {(overview.state === "stopped" || overview.state === "cut-off") && (
            <Button say="Resume run" disabled={task.isBusy} onClick={() => act("resume")} />
          )}
        </div>
        <TaskError task={task} />
        {turns.map(({ run, turn }) => (
          <PlayedTurn key={`${run.runId} ${turn.turn}`} run={run} turn={turn} />
        ))}
        {last?.error !== undefined && last.turns.length === 0 && <ErrorBanner {...last.error} />}
        {draft !== undefined && <p class="said">{draft.text}</p>}
        {last?.metadata !== undefined && (
          <JsonDetails title="Options of the last run" value={last.metadata} label="Metadata of the last run" />
        )}
      </section>
    </SessionContext.Provider>
  );
}

function PlayedTurn({ run, turn }: TurnProps): JSX.Element {
  const session = useSession();
  const { value, error } = useTurn({ run, turn });
  const { startedAt, endedAt, usage } = turn;
  return (
    <section aria-label={turnTitle(turn)}>
      <h3>
        <a href={formatRoute(turnRoute(session.id, run, turn))}>{turnTitle(turn)}</a>{" "}
        <span class="facts small wrap">
          {endedAt !== undefined && <span>{formatDuration(endedAt - startedAt)}</span>}
          {usage.inputTokens !== undefined && <span>prompt {formatTokens(usage.inputTokens)}</span>}
          {usage.outputTokens !== undefined && <span>output {formatTokens(usage.outputTokens)}</span>}
          <Money of={{ ...turn, currency: run.currency, pricesAsOf: run.pricesAsOf }} />
        </span>
      </h3>
      {error !== undefined && <Waiting error={error} />}
      {value !== undefined && <TurnContents details={value} run={run} turn={turn} />}
    </section>
  );
}
