import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { ENDS, type FaultName, meetFault } from "../support/fault-ends.ts";

const names = Object.keys(ENDS) as FaultName[];

describe.each(faces)("%s", (_face, read) => {
  test.each([1, 2, 3])("every fault at request %i, once", async (at) => {
    const ends: { [name: string]: string } = {};
    for (const name of names) ends[name] = await meetFault(read, name, at, false);
    expect(ends).toEqual(Object.fromEntries(names.map((name) => [name, ENDS[name][0]])));
  });

  test.each([1, 2, 3])("every fault at request %i and ever after", async (at) => {
    const ends: { [name: string]: string } = {};
    for (const name of names) ends[name] = await meetFault(read, name, at, true);
    expect(ends).toEqual(Object.fromEntries(names.map((name) => [name, ENDS[name][1]])));
  });
});
