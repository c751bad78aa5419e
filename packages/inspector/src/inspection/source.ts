import type { SessionState } from "./inspection.ts";

/** What a source can do. */
export interface SourceAbout {
  /** What is open: a path, or a name. */
  readonly title: string;
  /** `POST` works. */
  readonly actions: readonly string[];
  readonly isLive: boolean;
  /** Names of the agents that can run. */
  readonly agents: readonly string[];
  /** Who answers runs that actions begin. */
  readonly answers: "service" | "emulator";
  /** Google's list prices, where no others were given: their day, and whether they are used. */
  readonly listPrices?: { readonly asOf: string; readonly isUsed: boolean } | undefined;
  /** There are runs of evals to show. */
  readonly hasEvals: boolean;
}

/** What can be done before anything is open. */
export const NOTHING_OPEN: SourceAbout = {
  title: "",
  actions: [],
  agents: [],
  answers: "service",
  isLive: false,
  hasEvals: false,
};

/** A session has changed. */
export interface SourceChange {
  readonly length: number;
  readonly exchanges: number;
  readonly state: SessionState;
  /** The answer that is being made; absent when none is. */
  readonly draft?: { readonly text: string; readonly thoughts: string } | undefined;
}
