import type { JSX } from "preact";
import type { CauseView } from "../../../src/inspection/results.ts";
import { useLoad } from "../app/inspector.ts";
import { useSession } from "../session/session-model.ts";
import { Code } from "../ui/code.tsx";
import { formatDate } from "../ui/format.ts";

const NONE: readonly CauseView[] = [];

/** What was kept of the causes in a run. @param version - Changes with the run. */
export function useCauses(runId: string, version: string): readonly CauseView[] {
  const { source, id, exchanges } = useSession();
  const load = (): Promise<readonly CauseView[]> => source.view(id, "causes", { run: runId });
  // A cause is written after its step: the next request tells that it may be there.
  return useLoad(["causes", id, runId, version, exchanges.value.length], load, `causes ${runId}`).value ?? NONE;
}

/** What was thrown, with its stack and what was behind it. No model reads it. */
export function Causes({ causes }: { readonly causes: readonly CauseView[] }): JSX.Element | null {
  if (causes.length === 0) return null;
  return (
    <section class="causes box stack" aria-label="What was thrown">
      <h4>
        What was thrown{" "}
        <span class="dim">kept until {formatDate(causes[0]?.until ?? 0)}, and not told to the model</span>
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
          because of <b>{name}</b> {message}
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
