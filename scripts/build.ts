/** `pnpm build`, after `tsc -b` has written the types: bundles core, and builds the inspector's page. */
import { buildPage } from "../packages/inspector/page/build.ts";
import { bundleCore } from "./bundle.ts";

await bundleCore();
await buildPage();
