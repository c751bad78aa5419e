import type { ExchangeDetails } from "../../../src/inspection/exchange-details.ts";
import type { JSX } from "preact";
import { useMemo, useEffect, useState } from "preact/hooks";
import {
  SelectField,
  AgentSelect,
  CheckList,
  Notes,
  TaskError,
  useAbout,
  Button,
  TextField,
} from "../acting/parts.tsx";
import { useInspector, useLoad } from "../app/inspector.ts";
import { turnTitle } from "../ui/format.ts";
import { Empty, Waiting } from "../ui/notes.tsx";
import { type SessionModel, type SessionPanelProps, type TurnProps, useSession } from "../session/session-model.ts";
import type { Json } from "@pollux/core";
import type { BranchComparison, ForkRequest, ForkResult } from "../../../src/inspection/results.ts";
import { parseField, useTask } from "../acting/use-task.ts";
import { formatRoute } from "../app/route.ts";
import { BranchTable } from "./branch-table.tsx";
import { parseJson } from "../../../src/inspection/read-values.ts";
import { readHead } from "../../../src/replay/request-head.ts";

/** Most turns in the list; the timeline has all of them. */
const MAX_CHOICES = 500;

/** Forks a session at a turn and shows both branches. */
export function ForkView({ session, overview, route }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const points = useMemo(
    () => overview.runs.flatMap((run) => run.turns.map((turn) => ({ run, turn }))),
    [overview.runs],
  );
  // Only the last turn can have no number, while it has no answer.
  const chosen = points.findIndex(({ turn: { number } }) => number === route.item && number > 0);
  const index = chosen === -1 ? points.length - 1 : chosen;
  const point = points[index];
  const key = ["fork", session.id, point?.run.runId, point?.turn.turn, overview.exchanges];
  const { value, error } = useLoad<ForkDefaults>(key, async () =>
    point === undefined ? { results: [] } : await loadDefaults(session, point),
  );
  if (point === undefined)
    return (
      <Empty title="There is nothing to fork">
        <p>A fork starts at a turn, and the session has none yet.</p>
      </Empty>
    );
  const choices = points.slice(Math.max(0, Math.min(index - MAX_CHOICES / 2, points.length - MAX_CHOICES)));
  return (
    <div class="acting stack">
      <p>
        Starts a new session that is the same up to a turn, with your changes at that turn. Nothing before the turn runs
        again.
      </p>
      <SelectField
        label="Fork at"
        value={String(point.turn.number)}
        onChange={(item) => inspector.go({ kind: "session", id: session.id, tab: "fork", item: Number(item) }, true)}
        options={choices
          .slice(0, MAX_CHOICES)
          .map(({ run, turn }) => [String(turn.number), `${turnTitle(turn)} of “${run.input.slice(0, 60)}”`])}
      />
      {value === undefined ? <Waiting error={error} /> : <ForkForm key={key.join()} point={point} defaults={value} />}
    </div>
  );
}

interface ForkFormProps {
  readonly point: TurnProps;
  readonly defaults: ForkDefaults;
}

/** The changes in a fork, and who answers it. */
function ForkForm({ point, defaults }: ForkFormProps): JSX.Element {
  const { actions } = useAbout();
  const session = useSession();
  const [message, setMessage] = useState(defaults.message ?? "");
  const [instructions, setInstructions] = useState(defaults.instructions ?? "");
  const [results, setResults] = useState<{ readonly [callId: string]: string }>({});
  const [tools, setTools] = useState<readonly string[]>(defaults.tools ?? []);
  const [answers, setAnswers] = useState<ForkRequest["answers"]>("emulator");
  const [agent, setAgent] = useState("");
  const task = useTask<ForkResult>();
  const keeps = actions.includes("fork");
  const fork = (): void =>
    task.start(async () => {
      const request: ForkRequest = {
        runId: point.run.runId,
        turn: point.turn.turn,
        message: message === (defaults.message ?? "") ? undefined : message,
        instructions: instructions === (defaults.instructions ?? "") ? undefined : instructions,
        results: changedResults(results, defaults),
        tools: tools.length === (defaults.tools ?? []).length ? undefined : tools,
        answers,
        agent: agent === "" ? undefined : agent,
      };
      return await session.source.act(session.id, keeps ? "fork" : "try-fork", request);
    });
  return (
    <>
      {defaults.message !== undefined && <TextField label="Message" value={message} onChange={setMessage} />}
      {defaults.results.map(({ callId, name, text }) => (
        <TextField
          key={callId}
          label={`Result of ${name} (${callId}), as JSON`}
          value={results[callId] ?? text}
          onChange={(value) => setResults({ ...results, [callId]: value })}
          isCode
          rows={Math.min(8, text.split("\n").length + 1)}
        />
      ))}
      <details open>
        <summary>Instructions and tools</summary>
        <TextField
          label="Instructions"
          hint={defaults.instructions === undefined ? "The original instructions are unknown." : undefined}
          value={instructions}
          onChange={setInstructions}
          rows={4}
        />
        <CheckList legend="Allowed functions" names={defaults.tools ?? []} ticked={tools} onChange={setTools} />
      </details>
      {keeps ? (
        <div class="form-row wrap">
          <SelectField
            label="Answers from"
            value={answers}
            onChange={(value) => setAnswers(value === "service" ? value : "emulator")}
            options={[
              ["emulator", "the emulator: no key, no cost"],
              ["service", "the service"],
            ]}
          />
          <AgentSelect value={agent} onChange={setAgent} none="Rebuilt, with the recorded outcomes of calls" />
        </div>
      ) : (
        <p class="dim">
          Read-only: the emulator answers, no tool runs, and the fork is not stored. Start with{" "}
          <code>--allow-actions</code> to store forks and to use the service.
        </p>
      )}
      {agent !== "" && <p class="banner is-odd">The tools of {agent} run for real, with all their effects.</p>}
      <div class="buttons wrap">
        <Button say={task.isBusy ? "Forking…" : "Fork"} class="primary" disabled={task.isBusy} onClick={fork} />
      </div>
      <TaskError task={task} />
      {task.value !== undefined && <Forked key={task.value.id} result={task.value} />}
    </>
  );
}

/** The edited results; undefined for none. @throws {SyntaxError} */
function changedResults(
  results: { readonly [callId: string]: string },
  defaults: ForkDefaults,
): ForkRequest["results"] {
  const changed = Object.entries(results).filter(
    ([callId, text]) => defaults.results.find((one) => one.callId === callId)?.text !== text,
  );
  if (changed.length === 0) return undefined;
  // Comes from JSON.
  return Object.fromEntries(changed.map(([id, text]) => [id, parseField(text, `The result of ${id}`) as Json]));
}

function Forked({ result }: { readonly result: ForkResult }): JSX.Element {
  const { id, why, error, notes } = result;
  const { comparison, isRunning } = useComparison(result);
  return (
    <section class="result stack" aria-label="The fork" aria-live="polite">
      <p class={`banner ${error === undefined ? "is-ok" : "is-error"}`}>
        {why === undefined ? (
          <>
            The fork is <a href={formatRoute({ kind: "session", id, tab: "" })}>{id}</a>
            {isRunning && ", and is still running"}.
          </>
        ) : (
          <>The fork was not stored: {why}.</>
        )}
        {error !== undefined && ` It failed: ${error}`}
      </p>
      <Notes notes={notes} />
      <BranchTable comparison={comparison} />
    </section>
  );
}

/** The comparison of both branches, updated while the fork's run is active. */
function useComparison({ id, comparison, isRunning }: ForkResult): Pick<ForkResult, "comparison" | "isRunning"> {
  const { source, id: left } = useSession();
  const [latest, setLatest] = useState<Pick<ForkResult, "comparison" | "isRunning">>({ comparison, isRunning });
  useEffect(() => {
    if (!isRunning) return;
    let isShown = true;
    const end = source.watch(id, ({ state }) => {
      void source.view<BranchComparison>(left, "compare", { with: id }).then(
        (next) => isShown && setLatest({ comparison: next, isRunning: state === "running" }),
        // The next change tries again.
        () => {},
      );
    });
    return () => {
      isShown = false;
      end();
    };
  }, [id]);
  return latest;
}

/** The values to change at a point. */
interface ForkDefaults {
  /** The message of the run; only at its first turn. */
  readonly message?: string | undefined;
  /** Outcomes of the previous turn's calls. */
  readonly results: readonly { readonly callId: string; readonly name: string; readonly text: string }[];
  /** Absent unless the requests were kept. */
  readonly instructions?: string | undefined;
  readonly tools?: readonly string[] | undefined;
}

async function loadDefaults(session: SessionModel, { run, turn: { turn } }: TurnProps): Promise<ForkDefaults> {
  const { source, id, exchanges } = session;
  const first = turn === run.turns[0]?.turn;
  const before = run.turns.findLast((one) => one.turn < turn);
  const [own, previous] = await Promise.all([
    first ? source.turn(id, run.runId, turn) : undefined,
    before === undefined ? undefined : source.turn(id, run.runId, before.turn),
  ]);
  const input = own?.before.filter(({ origin }) => origin === "input").flatMap(({ parts }) => parts);
  const row = exchanges.value.find(({ runId }) => runId === run.runId);
  const request = row && parseJson((await source.view<ExchangeDetails>(id, `exchanges/${row.n}`)).request.body);
  const head = request === undefined ? undefined : readHead(request);
  return {
    message: input?.map(({ text = "" }) => text).join("\n"),
    results: (previous?.calls ?? []).flatMap(({ callId, name, response }) => {
      if (response === undefined) return [];
      const { output = response } = response as { readonly output?: unknown };
      return [{ callId, name, text: JSON.stringify(output, undefined, 2) }];
    }),
    instructions: head?.instructions,
    tools: head?.functions.map(({ name }) => name),
  };
}
