import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ForkRequest, ForkResult } from "../../../src/inspection/results.ts";
import { AgentSelect, CheckList, Field, Notes, SelectField, TaskError, TextArea, useAbout } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { formatRoute } from "../app/route.ts";
import { useSession } from "../session/session-model.ts";
import { BranchTable } from "./branch-table.tsx";
import { compare } from "./compare-with.tsx";
import type { ForkDefaults, ForkPoint } from "./fork-point.ts";

/** What is changed in a fork, and who answers it. */
export function ForkForm({
  point,
  defaults,
}: {
  readonly point: ForkPoint;
  readonly defaults: ForkDefaults;
}): JSX.Element {
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
        turn: point.turn,
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
        <CheckList
          legend="Functions that may be called"
          names={defaults.tools ?? []}
          ticked={tools}
          onChange={setTools}
        />
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
          <AgentSelect value={agent} onChange={setAgent} none="Rebuilt: calls get their recorded outcomes" />
        </div>
      ) : (
        <p class="dim">
          Read-only: the emulator answers, no tool is run, and the fork is shown once and not kept. Start with{" "}
          <code>--allow-actions</code> to keep forks, and to ask the service.
        </p>
      )}
      {agent !== "" && <p class="banner is-odd">The tools of {agent} run for real, with all their effects.</p>}
      <div class="buttons wrap">
        <button type="button" class="primary" disabled={task.isBusy} onClick={fork}>
          {task.isBusy ? "Forking…" : "Fork"}
        </button>
      </div>
      <TaskError task={task} />
      {task.value !== undefined && <Forked key={task.value.id} result={task.value} />}
    </>
  );
}

/** Those that were edited; undefined for none. @throws {SyntaxError} */
function changedResults(
  results: { readonly [callId: string]: string },
  defaults: ForkDefaults,
): ForkRequest["results"] {
  const changed = Object.entries(results).filter(
    ([callId, text]) => defaults.results.find((one) => one.callId === callId)?.text !== text,
  );
  if (changed.length === 0) return undefined;
  // Parsed from JSON.
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
function useComparison({ id, comparison, isRunning }: ForkResult): Pick<ForkResult, "comparison" | "isRunning"> {
  const { source, id: left } = useSession();
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
