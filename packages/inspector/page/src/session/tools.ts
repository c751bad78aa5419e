import type { ComponentType } from "preact";
import type { PendingRow, RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import type { SessionModel } from "./session-model.ts";

/** Stand on the right of a session's head: menus and buttons about all of it. */
export const SESSION_TOOLS: readonly ComponentType<{ readonly session: SessionModel }>[] = [];

/** Stand on the right of a turn's head. */
export const TURN_TOOLS: readonly ComponentType<{
  readonly session: SessionModel;
  readonly run: RunRow;
  readonly turn: TurnRow;
}>[] = [];

/** Stand below a call that waits: what can be done about it. */
export const PENDING_TOOLS: readonly ComponentType<{
  readonly session: SessionModel;
  readonly pending: PendingRow;
}>[] = [];
