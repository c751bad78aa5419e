import type { SessionOverview } from "../../../src/inspection/inspection.ts";
import type { SessionRoute } from "../app/route.ts";
import type { SessionModel } from "./session-model.ts";

/** What a tab of a session gets. */
export interface SessionPanelProps {
  readonly session: SessionModel;
  readonly overview: SessionOverview;
  readonly route: SessionRoute;
}
