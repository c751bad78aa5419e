import { config } from "zod";

// The page's policy forbids the code that zod, which the AI SDK uses, would otherwise make up.
config({ jitless: true });
