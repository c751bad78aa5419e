/** The programs' reports, the same on each runtime. `http://site` stands for the site's address. */

const HALF = {
  name: "half",
  description: "Half of it.",
  parametersJsonSchema: {
    type: "object",
    properties: { n: { type: "number" } },
    required: ["n"],
    additionalProperties: false,
  },
} as const;

export const CORE = {
  tools: {
    stopReason: "finished",
    text: 'They said: [{"output":{"city":"Oslo","celsius":4}},{"output":{"city":"Lima","celsius":4}}]',
    turns: 2,
  },
  stream: {
    types: ["run-start", "turn-start", "text-delta", "response", "turn-end", "run-end"],
    said: "One, two, three.",
  },
  session: { texts: ["Hello, Ada.", "Ada."], history: ["user", "model", "user", "model"] },
  grounding: {
    sources: ["1 yr.no", "2 met.no"],
    cited: [
      ["Ja, i Tromsø regner det.", [1]],
      ["Ta på deg støvler.", [2]],
    ],
    markdown: "Ja, i Tromsø regner det.[1] Ta på deg støvler.[2]",
  },
  output: { days: ["Forum", "Vatican"] },
  retried: { notices: ["retry"], text: "Here I am." },
  file: "1 file of 12 bytes.",
  refused: {
    name: "ApiStatusError",
    code: "api_status",
    message:
      "The API responded with 400 INVALID_ARGUMENT: API key not valid. Please pass a valid API key. Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.",
  },
  aborted: { said: "One, ", thrown: true },
  otherDoors: { wire: "object", durable: "Broken.", zod3: HALF },
} as const;

/** By subpath of `@pollux/tools`. */
export const WEB_TOOLS = {
  "ask-user": { output: { answer: "Blue." } },
  calculator: { output: { result: "33.333333333333333333333333333333 m / s", rounded: true } },
  notes: 1,
  openapi: {
    answer: { output: { status: 200, body: { name: "Tromsø" } } },
    moved: { output: { status: 200, body: { name: "Oslo" } } },
  },
  search: { output: { query: "oslo", results: [{ title: "Found", uri: "https://example.com/oslo" }] } },
  time: {
    output: {
      from: { time: "2026-03-28T12:00:00+01:00", zone: "Europe/Oslo", weekday: "Saturday" },
      to: { time: "2026-03-29T12:00:00+02:00", zone: "Europe/Oslo", weekday: "Sunday" },
      order: "to is later",
      duration: "1 day",
      calendar_days: 1,
      total_days: 0.958333,
      total_hours: 23,
      total_seconds: 82_800,
    },
  },
  todo: [{ id: "1", text: "Pack", status: "doing" }],
  "tool-search": { output: { result: "0.5" } },
} as const;

/** Browsers don't reveal the target of a redirect to a page. */
export const WEB_TOOLS_IN_A_PAGE = {
  ...WEB_TOOLS,
  openapi: {
    ...WEB_TOOLS.openapi,
    moved: {
      error: "GET /moved responds with a redirect, which is not followed in a web page; retrying will not help",
    },
  },
} as const;

/** By subpath of `@pollux/tools`. */
export const MACHINE_TOOLS = {
  files: {
    read: { output: { path: "a/hello.txt", text: "Hello, file.", first_line: 1, last_line: 1 } },
    found: {
      output: {
        files: [{ path: "a/hello.txt", matches: [{ line: 1, text: "Hello, file." }] }],
        total: 1,
        searched: 1,
      },
    },
    outside: { error: '"../secret" may point outside the folder; use a path without ".."' },
  },
  skills: {
    listed: "- greet: Greets: by name.",
    read: { output: { skill: "greet", text: "Say hello." } },
    outside: { error: '"../../secret" may point outside the folder; use a path without ".."' },
  },
  "file-search": { uploaded: ["hello.txt"], unchanged: ["hello.txt"] },
  http: {
    page: page("site"),
    json: {
      output: {
        url: "http://site/cities/Oslo",
        status: 200,
        headers: { "content-length": "15", "content-type": "application/json" },
        json: { name: "Oslo" },
      },
    },
    private: { error: "the host 127.0.0.1 is refused: it is not on the public internet; use another source" },
    byName: page("public.example"),
    privateByName: {
      error: "the host public.example is refused: it is not on the public internet; use another source",
    },
  },
  mcp: { output: { doubled: 42 } },
  "mcp-server": { output: { doubled: 42 } },
  shell: {
    done: { output: { exit_code: 3, output: "err\n" } },
    left: { output: { exit_code: 0, output: "out\n", note: "processes that it left running were ended" } },
  },
  sql: {
    driver: {
      answer: { output: { columns: ["n"], rows: [[1]] } },
      seen: ["BEGIN TRANSACTION", "SELECT set_config", "SELECT *", "ROLLBACK", "SELECT pg_advisory_unlock_all"],
    },
    sqlite: {
      rows: { output: { columns: ["name"], rows: [["Ada"]] } },
      refused: {
        error:
          'near "delete": syntax error; the database is read-only here: send one SELECT, WITH … SELECT or VALUES; sql_schema describes the tables',
      },
    },
  },
  fileNotes: 1,
} as const;

/** Node 20 has no SQLite. */
export const MACHINE_TOOLS_ON_NODE_20 = {
  ...MACHINE_TOOLS,
  sql: {
    ...MACHINE_TOOLS.sql,
    sqlite: "ConfigurationError: sqliteTools() requires Node 22.13 or later for node:sqlite; this is Node 20.19.0.",
  },
} as const;

/** Exports of `@pollux/core/node`. */
export const NODE_DOOR = {
  overNodeTransport: CORE,
  bareZod3: HALF,
  jsonl: ["Hello, Ada.", "Ada."],
  sqlite: ["Hello, Ada.", "Ada."],
} as const;

/** Node 20 has no SQLite. */
export const NODE_DOOR_ON_NODE_20 = {
  ...NODE_DOOR,
  sqlite:
    "ConfigurationError: SQLite session files require Node 22.13 or later; this is v20.19.0. Update Node, or use a JsonlStore.",
} as const;

function page(host: string): object {
  const content = `# Hello\n\n[A link](http://${host}/x)`;
  return { output: { url: `http://${host}/page`, kind: "html", title: "Page", content } };
}
