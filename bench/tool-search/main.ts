import { writeFigures } from "./figures.ts";

// Counts the tokens of `docs/guides/tool-search.md`.
await writeFigures();
