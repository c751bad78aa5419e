import type { SessionState } from "./inspection.ts";

/** What a source can do. */
export interface SourceAbout {
  /** A path or a name, for the title of the page. */
  readonly title: string;
  /** Names of the allowed actions. */
  readonly actions: readonly string[];
  readonly isLive: boolean;
  /** Names of the agents that can run. */
  readonly agents: readonly string[];
  /** Who answers runs that actions start. */
  readonly answers: "service" | "emulator";
  /** Google's list prices, if no others were given: their day, and whether they are used. */
  readonly listPrices?: { readonly asOf: string; readonly isUsed: boolean } | undefined;
  /** There are runs of evals to show. */
  readonly hasEvals: boolean;
}

/** The source before anything is open. */
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
  /** The answer in progress; absent if there is none. */
  readonly draft?: { readonly text: string; readonly thoughts: string } | undefined;
}
