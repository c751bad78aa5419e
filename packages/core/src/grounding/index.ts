// Entry "@pollux/core/grounding": for those who read sources and citations from other answers. Names only.
export { resolveCitations } from "./citations.ts";
export { renderMarkdown } from "./render-markdown.ts";
export { type Citation, type CollectedSources, collectSources, isWebUrl, type Source } from "./sources.ts";
