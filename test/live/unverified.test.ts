import { expect, test } from "vitest";
import { readPage } from "../docs/support/pages.ts";
import { UNVERIFIED_PAGE, unverifiedPage } from "./unverified.ts";

test("docs list what is unverified as the questions have it; pnpm docs:unverified writes it", async () => {
  expect(readPage(UNVERIFIED_PAGE)).toBe(await unverifiedPage());
});
