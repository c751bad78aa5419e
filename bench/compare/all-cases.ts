import type { Case } from "./case.ts";
import { CONVERSATIONS } from "./cases/conversations.ts";
import { ENDINGS } from "./cases/endings.ts";
import { GROUNDING } from "./cases/grounding.ts";
import { RETRIES } from "./cases/retries.ts";
import { TOOLS } from "./cases/tools.ts";

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [...ENDINGS, ...RETRIES, ...TOOLS, ...GROUNDING, ...CONVERSATIONS];
