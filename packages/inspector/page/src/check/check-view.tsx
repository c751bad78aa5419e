import type { JSX } from "preact";
import type { SessionProblem } from "@pollux/core/doctor";
import type { CheckResult, Refusal, ToolCheck } from "../../../src/inspection/results.ts";
import { useLoad } from "../app/inspector.ts";
import { formatRoute } from "../app/route.ts";
import { JsonCode } from "../ui/code.tsx";
import { formatPlural } from "../ui/format.ts";
import { Waiting } from "../ui/notes.tsx";
import type { SessionPanelProps } from "../session/session-model.ts";

/** Problems in the log and in the declared functions. */
export function CheckView({ session, overview }: SessionPanelProps): JSX.Element {
  const { value, error } = useLoad(["check", session.id, overview.length, overview.exchanges], () =>
    session.source.view<CheckResult>(session.id, "check"),
  );
  if (value === undefined) return <Waiting error={error} />;
  const { log, tools } = value;
  return (
    <div class="acting stack">
      <section aria-label="The log">
        <h2>The log</h2>
        {log.problems.length === 0 ? (
          <p class="banner is-ok">
            The doctor found no problems in {formatPlural(overview.length, "entry", "entries")}.
          </p>
        ) : (
          <>
            <p class="banner is-error">
              {formatPlural(log.problems.length, "problem")}.{" "}
              {log.refused === undefined
                ? `A repair would leave ${log.repairedLength} of ${overview.length} entries: pollux session repair FILE.`
                : `It can't be repaired: ${log.refused}.`}
            </p>
            <Problems id={session.id} problems={log.problems} />
          </>
        )}
        {log.notes.length > 0 && <Problems id={session.id} problems={log.notes} />}
      </section>
      <section aria-label="Functions">
        <h2>Functions as sent</h2>
        {tools.length === 0 && (
          <p class="dim">
            No functions known: requests were not kept, or declare none. Pass an agent's file with <code>--agent</code>.
          </p>
        )}
        {tools.map((tool) => (
          <Tool key={tool.name} id={session.id} tool={tool} />
        ))}
      </section>
    </div>
  );
}

interface ProblemsProps {
  readonly id: string;
  readonly problems: readonly SessionProblem[];
}

function Problems({ id, problems }: ProblemsProps): JSX.Element {
  return (
    <table class="branches">
      <thead>
        <tr>
          <th scope="col">Entry</th>
          <th scope="col">Problem</th>
          <th scope="col">Repair or effect</th>
        </tr>
      </thead>
      <tbody>
        {problems.slice(0, 200).map(({ position, problem, remedy }, index) => (
          <tr key={index}>
            <td class="number">
              <a href={formatRoute({ kind: "session", id, tab: "log", item: position })}>{position}</a>
            </td>
            <td>{problem}</td>
            <td>{remedy}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Tool({ id, tool }: { readonly id: string; readonly tool: ToolCheck }): JSX.Element {
  const { name, description, from, declaration, changes, refusal } = tool;
  return (
    <details class="tool" open={refusal !== undefined}>
      <summary>
        <code>{name}</code> <span class="dim">{description.slice(0, 120)}</span>
        {refusal !== undefined && <span class="flag tone-bad">refused</span>}
        {changes !== undefined && changes.length > 0 && (
          <span class="flag tone-note">{formatPlural(changes.length, "change")}</span>
        )}
      </summary>
      {refusal !== undefined && <RefusalBox refusal={refusal} />}
      {changes !== undefined &&
        (changes.length === 0 ? (
          <p>The schema is sent unchanged.</p>
        ) : (
          <ul class="list">
            {changes.map(({ path, change }, index) => (
              <li key={index}>
                <code>{path === "" ? "(root)" : path}</code>: {change}
              </li>
            ))}
          </ul>
        ))}
      {"n" in from && (
        <p class="dim">
          As in <a href={formatRoute({ kind: "session", id, tab: "wire", item: from.n })}>request {from.n}</a>.
        </p>
      )}
      <JsonCode value={declaration} label={`Declaration of ${name}`} />
    </details>
  );
}

/** Why the service would refuse a declaration or request. */
export function RefusalBox({ refusal }: { readonly refusal: Refusal }): JSX.Element {
  const { status, message, rule, fields } = refusal;
  return (
    <div class="banner is-error">
      <p>
        The service would refuse this with {status}: {message}
      </p>
      {fields.length > 0 && (
        <ul>
          {fields.map(({ field, description }, index) => (
            <li key={index}>
              {field !== undefined && <code>{field}</code>} {description}
            </li>
          ))}
        </ul>
      )}
      {rule !== undefined && <p class="dim">Rule {rule} of the emulator.</p>}
    </div>
  );
}
