// Entry "@pollux/inspector". Names only.
export type {
  DraftRow,
  HistoryRow,
  LimitRow,
  PendingRow,
  ProblemRow,
  RunRow,
  SessionOverview,
  SessionPage,
  SessionQuery,
  SessionRow,
  SessionState,
  SteeringRow,
  StepRow,
  TurnFlag,
  TurnRow,
  TurnUsage,
} from "./inspection/inspection.ts";
