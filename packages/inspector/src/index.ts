// Entry "@pollux/inspector". Names only.
export { inspectorHandler, type InspectorOptions } from "./server/inspector-handler.ts";
export { localInspector, type LocalInspector } from "./server/local-inspector.ts";
