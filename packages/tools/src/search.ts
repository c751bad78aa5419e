export {
  type FoundPage,
  type SearchFunction,
  type SearchInput,
  type SearchResults,
  searchTool,
  type SearchToolOptions,
} from "./search/search-tool.ts";
