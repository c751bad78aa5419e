// Entry "@pollux/core/observers": sees what runs do, for traces and metrics. Names only.
export { type ObservedEvent } from "../events.ts";
export { type ObservedExchange, type Observer } from "./observer.ts";
export { type RunInfo, type StepInfo } from "./run-info.ts";
export { observeAllRuns } from "./find-observers.ts";
