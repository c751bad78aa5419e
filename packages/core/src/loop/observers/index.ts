// Entry "@pollux/core/observers": observe runs, for traces and metrics. Names only.
export { type ObservedEvent, type RunInfo, type StepInfo } from "../events.ts";
export { type ObservedExchange, type ObservedThrow, observeAllRuns, type Observer } from "./observer.ts";
