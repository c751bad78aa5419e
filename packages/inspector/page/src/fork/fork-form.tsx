import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ForkRequest, ForkResult } from "../../../src/inspection/results.ts";
import { AgentSelect, Field, Notes, TaskError, TextArea, useAbout } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { formatRoute } from "../app/route.ts";
import type { SessionModel } from "../session/session-model.ts";
import { BranchTable } from "./branch-table.tsx";
import { compare } from "./compare-with.tsx";
import type { ForkDefaults, ForkPoint } from "./fork-point.ts";

/** What is changed in a fork, and who answers it. */
export function ForkForm({
  session,
  point,
  defaults,
}: {
  readonly session: SessionModel;
  readonly point: ForkPoint;
  readonly defaults: ForkDefaults;
}): JSX.Element {
  const { actions } = useAbout();
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
        turn: point.turn,
        ...(defaults.message !== undefined && message !== defaults.message && { message }),
        ...(instructions !== (defaults.instructions ?? "") && { instructions }),
        ...changedResults(results, defaults),
        ...(tools.length !== (defaults.tools ?? []).length && { tools }),
        answers,
        ...(agent !== "" && { agent }),
      };
      // It is JSON, and so is what comes back, of the same release as the page.
      const body = request as unknown as Json;
      return (await session.source.act(session.id, keeps ? "fork" : "try-fork", body)) as unknown as ForkResult;
    });
  return (
    <>
      {defaults.message !== undefined && (
        <Field label="Message">
          <TextArea value={message} onChange={setMessage} />
        </Field>
      )}
      {defaults.results.map(({ callId, name, text }) => (
        <Field key={callId} label={`Result of ${name} (${callId}), as JSON`}>
          <TextArea
            value={results[callId] ?? text}
            onChange={(value) => setResults({ ...results, [callId]: value })}
            isCode
            rows={Math.min(8, text.split("\n").length + 1)}
          />
        </Field>
      ))}
      <details open>
        <summary>Instructions and tools</summary>
        <Field
          label="Instructions"
          hint={defaults.instructions === undefined ? "The ones that were sent are not known." : undefined}
        >
          <TextArea value={instructions} onChange={setInstructions} rows={4} />
        </Field>
        {(defaults.tools ?? []).length > 0 && (
          <fieldset class="checks">
            <legend>Functions that may be called</legend>
            {defaults.tools?.map((name) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={tools.includes(name)}
                  onChange={({ currentTarget }) =>
                    setTools(currentTarget.checked ? [...tools, name] : tools.filter((one) => one !== name))
                  }
                />{" "}
                <code>{name}</code>
              </label>
            ))}
          </fieldset>
        )}
      </details>
      {keeps ? (
        <div class="form-row">
          <Field label="Answers from">
            <select
              value={answers}
              // The values of the options below.
              onChange={({ currentTarget }) => setAnswers(currentTarget.value as ForkRequest["answers"])}
            >
              <option value="emulator">the emulator: no key, no cost</option>
              <option value="service">the service</option>
            </select>
          </Field>
          <AgentSelect value={agent} onChange={setAgent} rebuilt="Rebuilt: calls get their recorded outcomes" />
        </div>
      ) : (
        <p class="dim">
          Read-only: the emulator answers, no tool is run, and the fork is shown once and not kept. Start with{" "}
          <code>--allow-actions</code> to keep forks, and to ask the service.
        </p>
      )}
      {agent !== "" && <p class="banner is-odd">The tools of {agent} run for real, with all their effects.</p>}
      <div class="buttons">
        <button type="button" class="primary" disabled={task.isBusy} onClick={fork}>
          {task.isBusy ? "Forking…" : "Fork"}
        </button>
      </div>
      <TaskError task={task} />
      {task.value !== undefined && <Forked key={task.value.id} session={session} result={task.value} />}
    </>
  );
}

/** Those that were edited. @throws {SyntaxError} */
function changedResults(
  results: { readonly [callId: string]: string },
  defaults: ForkDefaults,
): Pick<ForkRequest, "results"> {
  const changed = Object.entries(results).filter(
    ([callId, text]) => defaults.results.find((one) => one.callId === callId)?.text !== text,
  );
  if (changed.length === 0) return {};
  // Parsed from JSON.
  return {
    results: Object.fromEntries(changed.map(([id, text]) => [id, parseField(text, `The result of ${id}`) as Json])),
  };
}

function Forked({ session, result }: { readonly session: SessionModel; readonly result: ForkResult }): JSX.Element {
  const { id, kept, why, error, notes } = result;
  const { comparison, isRunning } = useComparison(session, result);
  return (
    <section class="result" aria-label="The fork" aria-live="polite">
      <p class={`banner ${error === undefined ? "is-ok" : "is-error"}`}>
        {kept === "store" ? (
          <>
            The fork is <a href={formatRoute({ kind: "session", id, tab: "" })}>{id}</a>
            {isRunning && ", and goes on"}.
          </>
        ) : (
          <>The fork was not kept: {why}.</>
        )}
        {error !== undefined && ` It failed: ${error}`}
      </p>
      <Notes notes={notes} />
      <BranchTable comparison={comparison} />
    </section>
  );
}

/** How the branches compare while the fork's run goes on. */
function useComparison(
  { source, id: left }: SessionModel,
  { id, comparison, isRunning }: ForkResult,
): Pick<ForkResult, "comparison" | "isRunning"> {
  const [latest, setLatest] = useState<Pick<ForkResult, "comparison" | "isRunning">>({ comparison, isRunning });
  useEffect(() => {
    if (!isRunning) return;
    let isShown = true;
    const end = source.watch(id, ({ state }) => {
      void compare(source, left, id).then(
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
