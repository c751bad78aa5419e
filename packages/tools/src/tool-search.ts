export { toolSearch, type SearchTools, type ToolSearchOptions } from "./tool-search/tool-search.ts";
