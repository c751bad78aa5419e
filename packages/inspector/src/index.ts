// Entry "@pollux/inspector". Names only.
export type { CaseDraft, RunForCase } from "./evals/make-case.ts";
export { inspectorHandler, type InspectorOptions } from "./server/inspector-handler.ts";
export { localInspector, type LocalInspector } from "./server/local-inspector.ts";
export { type OpenedPath, openPath } from "./server/open-path.ts";
