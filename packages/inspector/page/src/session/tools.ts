import type { ComponentType } from "preact";
import type { PendingRow, RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { PendingAnswer } from "../acting/pending-answer.tsx";
import { CompareRuns } from "../compare/compare-runs.tsx";
import { ForkHere } from "../fork/fork-here.tsx";
import { CopyTurnLink } from "../turn/copy-turn-link.tsx";
import { OpenInPlay } from "../play/open-in-play.tsx";
import { RunTestButton } from "../take-away/run-test-button.tsx";
import { TakeAwayMenu } from "../take-away/take-away-menu.tsx";
import type { SessionModel } from "./session-model.ts";

/** Stand on the right of a session's head: menus and buttons about all of it. */
export const SESSION_TOOLS: readonly ComponentType<{ readonly session: SessionModel }>[] = [
  OpenInPlay,
  CompareRuns,
  TakeAwayMenu,
];

/** Stand on the right of a turn's head. */
export const TURN_TOOLS: readonly ComponentType<{
  readonly session: SessionModel;
  readonly run: RunRow;
  readonly turn: TurnRow;
}>[] = [CopyTurnLink, ForkHere, RunTestButton];

/** Stand below a call that waits: what can be done about it. */
export const PENDING_TOOLS: readonly ComponentType<{
  readonly session: SessionModel;
  readonly pending: PendingRow;
}>[] = [PendingAnswer];
