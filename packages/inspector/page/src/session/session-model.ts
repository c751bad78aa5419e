import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { RunRow, SessionOverview, TurnRow } from "../../../src/inspection/inspection.ts";
import type { SourceChange } from "../../../src/inspection/source.ts";
import type { TurnDetails } from "../../../src/inspection/turn-details.ts";
import type { Load } from "../app/loads.ts";
import { useLoad } from "../app/inspector.ts";
import { isTurn, type SessionRoute, type TurnRoute } from "../app/route.ts";
import type { HttpSource } from "../source/http-source.ts";

/** The current session, kept up to date while it changes. */
export class SessionModel {
  readonly id: string;
  readonly source: HttpSource;
  readonly overview: Signal<SessionOverview | undefined> = signal(undefined);
  readonly error: Signal<Error | undefined> = signal(undefined);
  /** The model's answer in progress. */
  readonly draft: Signal<SourceChange["draft"]> = signal(undefined);
  readonly exchanges: Signal<readonly ExchangeRow[]> = signal([]);
  /** Ids of the runs selected for a comparison. */
  readonly tickedRuns: Signal<readonly string[]> = signal([]);
  readonly runs: ReadonlySignal<readonly RunRow[]> = computed(() => this.overview.value?.runs ?? []);
  #isLoading = false;
  #isStale = false;
  #isWhole = false;

  constructor(source: HttpSource, id: string) {
    this.source = source;
    this.id = id;
  }

  /** @returns A function that stops updates. */
  start(): () => void {
    void this.refresh();
    return this.source.watch(
      this.id,
      ({ length, exchanges, state, draft }) => {
        this.draft.value = draft;
        const known = this.overview.value;
        const isNews = known?.length !== length || known.state !== state || known.exchanges !== exchanges;
        if (isNews || this.error.value !== undefined) void this.refresh();
      },
      // Shows why.
      () => void this.refresh(),
    );
  }

  /** Loads changes; those during a load share the next one. */
  async refresh(): Promise<void> {
    this.#isStale = true;
    if (this.#isLoading) return;
    this.#isLoading = true;
    while (this.#isStale) {
      this.#isStale = false;
      try {
        const known = this.overview.value;
        const isWhole = this.#isWhole && known?.earlier !== undefined;
        const overview = await this.source.overview(this.id, known, isWhole);
        this.overview.value = overview;
        this.error.value = undefined;
        if (overview.exchanges < this.exchanges.value.length) this.exchanges.value = [];
        const rows = this.exchanges.value;
        if (overview.exchanges > rows.length)
          this.exchanges.value = [...rows, ...(await this.source.exchanges(this.id, rows.length))];
      } catch (error) {
        this.error.value = error instanceof Error ? error : new Error(String(error));
      }
    }
    this.#isLoading = false;
  }

  /** Reads the unread beginning of a long session, once. */
  whole(): void {
    if (this.#isWhole) return;
    this.#isWhole = true;
    if (this.overview.value?.earlier !== undefined) void this.refresh();
  }

  readonly #turnsByStep: ReadonlySignal<ReadonlyMap<string, TurnRow>> = computed(() => {
    const found = new Map<string, TurnRow>();
    for (const { runId, turns } of this.runs.value)
      for (const turn of turns) {
        found.set(`${runId} ${turn.turn}`, turn);
        for (const { name } of turn.steps) found.set(`${runId} ${name}`, turn);
      }
    return found;
  });

  /** The turn of a request; for an agent inside a call, the turn of the outermost call. */
  turnOf({ runId, turn, parent }: ExchangeRow): TurnRow | undefined {
    const found = this.#turnsByStep.value;
    if (parent === undefined) return found.get(`${runId} ${turn}`);
    const outer = found.get(`${parent.runId} ${parent.step}`);
    const above = outer === undefined ? this.exchanges.value.find((row) => row.runId === parent.runId) : undefined;
    return above?.parent === undefined || above.parent.runId === parent.runId ? outer : this.turnOf(above);
  }

  /** Identifies the current version of a turn. */
  turnKey({ runId, state }: RunRow, { turn, steps, endedAt, flags }: TurnRow): readonly unknown[] {
    return ["turn", this.id, runId, turn, steps.length, steps.at(-1)?.state, endedAt, flags.length, state];
  }

  find(place: Pick<TurnRoute, "runId" | "turn">): { readonly run: RunRow; readonly turn: TurnRow } | undefined {
    for (const run of this.runs.value) {
      if (place.runId !== undefined && place.runId !== run.runId) continue;
      const turn = run.turns.find((row) => isTurn(place, run, row));
      if (turn !== undefined) return { run, turn };
    }
    return undefined;
  }
}

export const SessionContext = createContext<SessionModel | undefined>(undefined);

/** The current session. */
export function useSession(): SessionModel {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("useSession must be called within a session");
  return session;
}

/** A turn of the current session. */
export interface TurnProps {
  readonly run: RunRow;
  readonly turn: TurnRow;
}

/** Loads a turn in full. */
export function useTurn({ run, turn }: TurnProps): Load<TurnDetails> {
  const session = useSession();
  const load = (): Promise<TurnDetails> => session.source.turn(session.id, run.runId, turn.turn);
  return useLoad(session.turnKey(run, turn), load, `${run.runId} ${turn.turn}`);
}

/** Props of a session's tab. */
export interface SessionPanelProps {
  readonly session: SessionModel;
  readonly overview: SessionOverview;
  readonly route: SessionRoute;
}
