import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { casesFromFile } from "../../src/index.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

const schema = z.object({ id: z.string(), input: z.string(), expected: z.object({ city: z.string() }) });
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-evals-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(text: string): Promise<string> {
  const path = join(folder, "cases.jsonl");
  await writeFile(path, text);
  return path;
}

test("reads a case from each line, as the schema gives it", async () => {
  const path = await write(
    '{"id":"a","input":"A?","expected":{"city":"Oslo"},"note":1}\r\n\n{"id":"b","input":"B?","expected":{"city":"Rome"}}\n',
  );

  const expected = [
    { id: "a", input: "A?", expected: { city: "Oslo" } },
    { id: "b", input: "B?", expected: { city: "Rome" } },
  ];
  expect(await casesFromFile(path, schema)()).toEqual(expected);
  expect(await casesFromFile(pathToFileURL(path), schema)()).toEqual(expected);
});

test("names the line and what is wrong with it", async () => {
  const wrong = await write(
    '{"id":"a","input":"A?","expected":{"city":"Oslo"}}\n{"id":"b","input":"B?","expected":{}}',
  );
  await expect(casesFromFile(wrong, schema)()).rejects.toThrow(
    new TypeError(`${wrong}:2: expected.city: Invalid input: expected string, received undefined`),
  );

  const broken = await write("{");
  await expect(casesFromFile(broken, schema)()).rejects.toThrow(new TypeError(`${broken}: line 1 is not JSON`));
});
