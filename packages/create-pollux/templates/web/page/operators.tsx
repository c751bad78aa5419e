/* if operator */
import type { UntrustedReason } from "@pollux/core";
import { explainUntrusted } from "@pollux/core/conversation";
import { ApprovalForm, ChatServer } from "@pollux/react";
import { useCallback, useEffect, useState } from "react";

/** A call that waits, as `operatorHandler` of `@pollux/web` lists it. */
interface WaitingCall {
  readonly session: string;
  readonly token: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly question: "approval" | "outcome" | "unknown-outcome";
  readonly owner?: string;
  readonly title?: string;
  readonly editable?: readonly string[];
  readonly because?: UntrustedReason;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
}

// The token is behind the `#` of the address, which browsers send to nobody.
const headers = () => ({ authorization: `Bearer ${location.hash.slice(1)}`, "content-type": "application/json" });
const server = new ChatServer({ api: "/api/operator", headers });

/** All pages of the list. */
async function listCalls(after?: string): Promise<readonly WaitingCall[]> {
  const listed = await server.fetch(`${server.api}${after === undefined ? "" : `?after=${encodeURIComponent(after)}`}`);
  const { calls, next } = (await listed.json()) as { readonly calls: readonly WaitingCall[]; readonly next?: string };
  return next === undefined ? calls : [...calls, ...(await listCalls(next))];
}

/** What waits for an operator, in all chats, looked up every two seconds. */
export function Operators() {
  const [calls, setCalls] = useState<readonly WaitingCall[]>([]);
  const [state, setState] = useState("Loading…");
  const refresh = useCallback(async () => {
    try {
      const found = await listCalls();
      setCalls(found.toSorted((one, other) => one.askedAt - other.askedAt));
      setState(found.length === 0 ? "Nothing waits." : "");
    } catch (error) {
      setState(reasonOf(error));
    }
  }, []);
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), 2000);
    return () => clearInterval(timer);
  }, [refresh]);
  return (
    <div className="pollux">
      <main className="app" style={{ display: "block", overflowY: "auto" }}>
        <div className="column">
          <h1>Approvals</h1>
          <p role="status">{state}</p>
          {calls.map((call) => (
            <Question key={call.token} call={call} onAnswered={refresh} />
          ))}
        </div>
      </main>
    </div>
  );
}

function Question({ call, onAnswered }: { readonly call: WaitingCall; readonly onAnswered: () => Promise<void> }) {
  const { session, token, tool, args, question, owner, title = session, because } = call;
  const [problem, setProblem] = useState("");
  const answer = async (given: object): Promise<string | undefined> => {
    try {
      const body = JSON.stringify({ session, answers: [{ token, ...given }] });
      await server.fetch(`${server.api}/answers`, { method: "POST", body });
      await onAnswered();
      return undefined;
    } catch (error) {
      setProblem(reasonOf(error));
      return reasonOf(error);
    }
  };
  return (
    <article className="tool is-asked" aria-label={`${tool}, ${title}`}>
      <div className="tool-body">
        <h2>{tool}</h2>
        <p>{[title, owner, new Date(call.askedAt).toLocaleString()].join(" · ")}</p>
        {because !== undefined && <p className="tool-because">{explainUntrusted(because, { name: tool, args })}</p>}
        {question === "approval" ? (
          <ApprovalForm
            input={args}
            editable={call.editable}
            isDisabled={false}
            onDecide={(approved, reason) => void answer({ approved, reason })}
            onEdit={async (changed) => await answer({ args: changed })}
          />
        ) : (
          <div className="approval-buttons">
            <p>The server stopped while this ran. Did it take effect?</p>
            <button className="small" onClick={() => void answer({ output: "done, says the operator" })}>
              Yes, it did
            </button>
            <button className="small" onClick={() => void answer({ notExecuted: true })}>
              No, run it again
            </button>
          </div>
        )}
        {problem !== "" && <p role="alert">{problem}</p>}
      </div>
    </article>
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
/* end */
