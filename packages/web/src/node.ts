// Entry "@pollux/web/node": what needs Node. Names only.
export { type NodeHandler, toNodeHandler } from "./node/node-handler.ts";
