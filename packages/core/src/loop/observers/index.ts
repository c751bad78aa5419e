// Entry "@pollux/core/observers": sees what runs do, for traces and metrics. Names only.
export { type ObservedEvent, type RunInfo, type StepInfo } from "../events.ts";
export { type ObservedExchange, type ObservedThrow, observeAllRuns, type Observer } from "./observer.ts";
