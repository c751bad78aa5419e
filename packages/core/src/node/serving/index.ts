// Entry "@pollux/core/serving-node": web requests behind `node:http`. Names only.
export { listen } from "./listen.ts";
export { type NodeHandler, toNodeHandler } from "./node-handler.ts";
