import type { ComponentType } from "preact";
import type { PendingRow, RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import type { SessionRoute } from "../app/route.ts";
import { LogView } from "../log/log-view.tsx";
import { MoneyView } from "../money/money-view.tsx";
import { TimelineView } from "../timeline/timeline-view.tsx";
import { WireView } from "../wire/wire-view.tsx";
import type { SessionModel } from "./session-model.ts";

/** What a tab of a session gets. */
export interface SessionPanelProps {
  readonly session: SessionModel;
  readonly route: SessionRoute;
}

/** A tab of a session; its id is in the address. */
export interface SessionTab {
  readonly id: string;
  readonly title: string;
  readonly View: ComponentType<SessionPanelProps>;
  /** How many of something it shows. */
  readonly count?: ((session: SessionModel) => number | undefined) | undefined;
}

/** The tabs of a session, in order. */
export const SESSION_TABS: readonly SessionTab[] = [
  { id: "", title: "Time line", View: TimelineView },
  { id: "wire", title: "Wire", View: WireView, count: ({ overview }) => overview.value?.exchanges },
  { id: "money", title: "Money and tokens", View: MoneyView },
  { id: "log", title: "Log", View: LogView, count: ({ overview }) => overview.value?.length },
];

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
