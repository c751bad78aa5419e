/** `pnpm build`, after `tsc -b` has written the types: bundles core and the program, builds the inspector's page, and copies guides into the packages. */
import { buildPage } from "../packages/inspector/page/build.ts";
import { bundleCli } from "./bundle-cli.ts";
import { bundleCore } from "./bundle.ts";
import { writePackageDocs } from "./package-docs.ts";

await Promise.all([bundleCore(), bundleCli(), buildPage()]);
writePackageDocs();
