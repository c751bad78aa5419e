// Entry "@pollux/inspector". Names only.
export { inspectorHandler, type InspectorOptions } from "./server/inspector-handler.ts";
export { localInspector, type LocalInspector } from "./server/local-inspector.ts";
export { type OpenedPath, openPath } from "./server/open-path.ts";
