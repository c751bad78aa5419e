import { config } from "zod";

// Imported first: zod, which the AI SDK uses, would otherwise make up code, which the page's policy forbids.
config({ jitless: true });
