// Entry "@pollux/core/bulk": one agent over many inputs. Names only.
export { map, MapRun } from "./map.ts";
export type { MapOptions } from "./map-options.ts";
export type { MapItem } from "./map-item.ts";
export { formatProgress, type MapProgress, type MapSummary } from "./map-progress.ts";
