import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AI_SDK } from "./ai-sdk-client.ts";
import { describeClient } from "./behaviors.ts";
import type { Client } from "./client.ts";
import { GEMINI_CLI } from "./gemini-cli-client.ts";
import { GOOGLE_GENAI } from "./google-genai-client.ts";
import { LANGCHAIN } from "./langchain-clients.ts";
import { PYTHON_GENAI } from "./python-genai-client.ts";

const CLIENTS: readonly Client[] = [...GOOGLE_GENAI, AI_SDK, ...LANGCHAIN, GEMINI_CLI];
const README = readFileSync(new URL("../../packages/emulator/README.md", import.meta.url), "utf8");
const { dependencies: pinned } = JSON.parse(
  readFileSync(new URL("../programs/package.json", import.meta.url), "utf8"),
) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

for (const client of CLIENTS) describeClient(client);

test("the emulator's README says what each client does", () => {
  const section = README.split("\n## Clients\n")[1]?.split("\n## ")[0] ?? "";
  const rows = section
    .split("\n")
    .flatMap((line) => (line.startsWith("|") ? [line.split("|").map((cell) => cell.trim())] : []));
  expect(rows.map((row) => row.slice(1, -1)).toSpliced(1, 1)).toEqual([
    ["client", "text", "stream", "functions", "output", "embeddings", "tokens", "files", "caches", "errors"],
    ...[...CLIENTS, ...PYTHON_GENAI].map((client) => [nameOf(client), ...cellsOf(client)]),
  ]);
});

function nameOf({ name, version = pinned[name], surface }: Client): string {
  return `${name} ${version}, ${surface}`;
}

function cellsOf(client: Client): readonly string[] {
  const { functions, output, embeddings, tokens, files, caches, oneCallATurn } = client;
  const yesOrNo = (cell: object): string => ("no" in cell ? `no: ${String(cell.no)}` : "yes");
  return [
    "yes",
    "yes",
    oneCallATurn === undefined ? yesOrNo(functions) : `[one a turn](${oneCallATurn})`,
    yesOrNo(output),
    yesOrNo(embeddings),
    yesOrNo(tokens),
    "no" in files || files.upload !== undefined ? yesOrNo(files) : "refers to them",
    "no" in caches || caches.create !== undefined ? yesOrNo(caches) : "refers to them",
    "yes",
  ];
}
