// Entry "@pollux/web/node": what needs Node. Names only.
export { type NodeHandler, toNodeHandler } from "./node/node-handler.ts";
export { type Drainable, drainOnSignal, type DrainOnSignalOptions } from "./node/drain-on-signal.ts";
