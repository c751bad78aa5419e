import type { ComponentType } from "preact";
import { ActionsView } from "../acting/actions-view.tsx";
import { CaseView } from "../case/case-view.tsx";
import { CheckView } from "../check/check-view.tsx";
import { CostView } from "../cost/cost-view.tsx";
import { ForkView } from "../fork/fork-view.tsx";
import { LogView } from "../log/log-view.tsx";
import { ReplayView } from "../replay/replay-view.tsx";
import { TimelineView } from "../timeline/timeline-view.tsx";
import { WireView } from "../wire/wire-view.tsx";
import type { SessionModel, SessionPanelProps } from "./session-model.ts";

/** A tab of a session; its id is in the address. */
export interface SessionTab {
  readonly id: string;
  readonly title: string;
  readonly View: ComponentType<SessionPanelProps>;
  /** It only needs the end of a long session. */
  readonly isOfEnd?: boolean | undefined;
  /** A number for its title. */
  readonly count?: ((session: SessionModel) => number | undefined) | undefined;
}

const TIMELINE: SessionTab = { id: "", title: "Timeline", View: TimelineView, isOfEnd: true };

/** The tabs of a session, in order. */
export const SESSION_TABS: readonly SessionTab[] = [
  TIMELINE,
  { id: "wire", title: "Wire", View: WireView, count: ({ overview }) => overview.value?.exchanges || undefined },
  { id: "cost", title: "Cost and tokens", View: CostView },
  { id: "replay", title: "Replay", View: ReplayView },
  { id: "fork", title: "Fork", View: ForkView },
  { id: "check", title: "Check", View: CheckView },
  {
    id: "act",
    title: "Act",
    View: ActionsView,
    isOfEnd: true,
    count: ({ overview }) => overview.value?.pending.length || undefined,
  },
  { id: "case", title: "Make case", View: CaseView },
  { id: "log", title: "Log", View: LogView, count: ({ overview }) => overview.value?.length },
];

/** The tab with an id, or else the timeline. */
export function sessionTab(id: string): SessionTab {
  return SESSION_TABS.find((tab) => tab.id === id) ?? TIMELINE;
}
