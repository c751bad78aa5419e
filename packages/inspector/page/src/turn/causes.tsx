import type { JSX } from "preact";
import type { CauseView } from "../../../src/inspection/results.ts";
import { useLoad } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";
import { Code } from "../ui/code.tsx";
import { formatDate } from "../ui/format.ts";

const NONE: readonly CauseView[] = [];

/** The kept causes of errors in a run. @param version - Changes with the run. */
export function useCauses(runId: string, version: string): readonly CauseView[] {
  const { source, id, exchanges } = useSession();
  const load = (): Promise<readonly CauseView[]> => source.view(id, "causes", { run: runId });
  // A cause is written after its step, so the next request is a reason to load again.
  return useLoad(["causes", id, runId, version, exchanges.value.length], load, `causes ${runId}`).value ?? NONE;
}

/** Thrown errors with their stacks and causes. No model reads them. */
export function Causes({ causes }: { readonly causes: readonly CauseView[] }): JSX.Element | null {
  if (causes.length === 0) return null;
  return (
    <section class="causes box stack" aria-label="Errors thrown">
      <h4>
        Errors thrown{" "}
        <span class="dim">kept until {formatDate(causes[0]?.until ?? 0)}; the model doesn't read them</span>
      </h4>
      {causes.map((cause, index) => (
        <Cause key={index} cause={cause} />
      ))}
    </section>
  );
}

function Cause({ cause }: { readonly cause: CauseView }): JSX.Element {
  const { error, tool, step, attempt = 1, outerCallId } = cause;
  const chain = [];
  for (let one = error.cause; one !== undefined; one = one.cause) chain.push(one);
  return (
    <div class="cause">
      <p>
        <b>{error.name}</b> {error.message}
        {outerCallId !== undefined && <span class="dim"> in an inner run, by {tool ?? step}</span>}
        {outerCallId === undefined && tool === undefined && step !== undefined && <span class="dim"> in {step}</span>}
        {attempt > 1 && <span class="dim"> attempt {attempt}</span>}
      </p>
      {chain.map(({ name, message }, index) => (
        <p key={index} class="cause-behind">
          caused by <b>{name}</b> {message}
        </p>
      ))}
      {[error, ...chain].map(
        ({ name, stack }, index) =>
          stack !== undefined && (
            <details key={index} class="beside">
              <summary>{index === 0 ? "Stack" : `Stack of ${name}`}</summary>
              <Code text={stack} label={`Stack of ${name}`} />
            </details>
          ),
      )}
    </div>
  );
}
