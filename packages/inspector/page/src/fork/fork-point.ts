import type { RunRow, SessionOverview, TurnRow } from "../../../src/inspection/inspection.ts";
import { parseJson } from "../../../src/inspection/read-values.ts";
import { readHead } from "../../../src/replay/request-head.ts";
import type { SessionModel } from "../session/session-model.ts";

/** A place where a session can be forked: a turn of a run. */
export interface ForkPoint {
  readonly run: RunRow;
  /** Its place in the run. */
  readonly turn: number;
  readonly row: TurnRow;
}

export function forkPoints({ runs }: SessionOverview): readonly ForkPoint[] {
  return runs.flatMap((run) => run.turns.map((row): ForkPoint => ({ run, turn: row.turn, row })));
}

/** What there is to change at a point. */
export interface ForkDefaults {
  /** The message of the run; only at its first turn. */
  readonly message?: string | undefined;
  /** Outcomes of the calls of the turn before. */
  readonly results: readonly { readonly callId: string; readonly name: string; readonly text: string }[];
  /** Known when the requests were kept. */
  readonly instructions?: string | undefined;
  readonly tools?: readonly string[] | undefined;
}

export async function loadDefaults({ source, id, exchanges }: SessionModel, point: ForkPoint): Promise<ForkDefaults> {
  const { run, turn } = point;
  const first = turn === run.turns[0]?.turn;
  const before = run.turns.findLast((one) => one.turn < turn);
  const [own, previous] = await Promise.all([
    first ? source.turn(id, run.runId, turn) : undefined,
    before === undefined ? undefined : source.turn(id, run.runId, before.turn),
  ]);
  const input = own?.before.filter(({ origin }) => origin === "input").flatMap(({ parts }) => parts);
  const row = exchanges.value.find(({ runId }) => runId === run.runId);
  const request = row && parseJson((await source.exchange(id, row.n)).request.body);
  const head = request === undefined ? undefined : readHead(request);
  return {
    ...(input !== undefined && { message: input.map(({ text = "" }) => text).join("\n") }),
    results: (previous?.calls ?? []).flatMap(({ callId, name, response }) => {
      if (response === undefined) return [];
      const { output = response } = response as { readonly output?: unknown };
      return [{ callId, name, text: JSON.stringify(output, undefined, 2) }];
    }),
    ...(head?.instructions !== undefined && { instructions: head.instructions }),
    ...(head !== undefined && { tools: head.functions.map(({ name }) => name) }),
  };
}
