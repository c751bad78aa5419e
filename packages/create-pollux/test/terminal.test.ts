import { expect, test } from "vitest";
import { thisProcess } from "../src/terminal.ts";

test("a program is found if the path has it", () => {
  expect(thisProcess().finds("npm")).toBe(true);
  expect(thisProcess().finds("no-such-package-manager")).toBe(false);
});
