// Writes docs/unverified.md: pnpm docs:unverified
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../docs/support/pages.ts";
import { UNVERIFIED_PAGE, unverifiedPage } from "./unverified.ts";

writeFileSync(join(ROOT, UNVERIFIED_PAGE), await unverifiedPage());
