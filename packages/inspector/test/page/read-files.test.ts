import { expect, test } from "vitest";
import { readFiles } from "../../page/src/source/read-files.ts";

const RUN = { v: 3, at: 1, type: "run", runId: "r", input: [] };
const EXCHANGE = { v: 1, type: "exchange" };
const lines = (...entries: readonly object[]): string => entries.map((entry) => `${JSON.stringify(entry)} \n`).join("");

test("a session file and the exchanges of the same name are one session; the id is in the name", () => {
  const files = [
    { name: "+chat%2f1.jsonl", text: lines(EXCHANGE) },
    { name: "+chat%2f1.jsonl", text: lines(RUN) },
  ];
  expect(readFiles(files)).toEqual([{ id: "Chat/1", entries: [RUN], exchanges: [EXCHANGE] }]);
});

test("exchanges alone are shown too, and lines that can't be read are entries that say so", () => {
  expect(readFiles([{ name: "a.jsonl", text: lines(EXCHANGE) }])).toEqual([
    { id: "a", entries: [], exchanges: [EXCHANGE] },
  ]);
  const [session] = readFiles([{ name: "b.jsonl.repaired", text: `${lines(RUN)}{ torn` }]);
  expect(session).toMatchObject({
    id: "b",
    entries: [RUN, { unreadable: expect.stringContaining("not JSON"), text: "{ torn" }],
  });
});

test("a line that nests 100,000 levels can't be read either", () => {
  const deep = `{"v":3,"type":"info","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const [session] = readFiles([{ name: "a.jsonl", text: `${lines(RUN)}${deep}\n` }]);
  expect(session?.entries).toEqual([RUN, { unreadable: "it nests more than 600 levels" }]);
});

test.each(["", "We went to the sea.", "[1, 2]", '{"a": 1}'])("%j is no file of the inspector", (text) => {
  expect(() => readFiles([{ name: "x.json", text }])).toThrow("This is not a session file");
});
