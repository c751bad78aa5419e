// Entry "@pollux/web/node": what needs Node. Names only.
export { type NodeHandler, toNodeHandler } from "@pollux/core/serving-node";
export { type Drainable, drainOnSignal, type DrainOnSignalOptions } from "./node/drain-on-signal.ts";
