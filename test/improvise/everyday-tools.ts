import type { FunctionDeclaration, JsonObject } from "@pollux/core/wire";
import { askUser } from "@pollux/tools/ask-user";
import { calculator } from "@pollux/tools/calculator";
import { fileTools } from "@pollux/tools/files";
import { webFetch } from "@pollux/tools/http";
import { memoryNotes, noteTools } from "@pollux/tools/notes";
import { searchTool } from "@pollux/tools/search";
import { shellTool } from "@pollux/tools/shell";
import { sqlTools } from "@pollux/tools/sql";
import { timeTools } from "@pollux/tools/time";
import { todoList } from "@pollux/tools/todo";

/** The ready-made tools, as they are declared to a model. */
export const READY_MADE: readonly FunctionDeclaration[] = [
  ...fileTools({ root: ".", write: true }),
  calculator(),
  ...timeTools(),
  webFetch(),
  searchTool({ search: () => [] }),
  shellTool({ cwd: "." }),
  ...noteTools({ store: memoryNotes() }),
  ...todoList().tools,
  ...sqlTools({ dialect: "postgres", query: () => Promise.resolve({ rows: [] }) }),
  askUser(),
].map(({ declaration }) => declaration);

const text = (description: string): object => ({ type: "string", description });
const fn = (name: string, description: string, properties: object): FunctionDeclaration => ({
  name,
  description,
  parametersJsonSchema: { type: "object", properties, required: Object.keys(properties) },
});

/** Tools that people write first. */
export const WRITTEN: readonly FunctionDeclaration[] = [
  fn("get_weather", "Current weather in a city.", { city: text("City name") }),
  fn("add", "Adds two numbers.", { a: { type: "number" }, b: { type: "number" } }),
  fn("send_email", "Sends an email.", {
    to: text("Email address"),
    subject: { type: "string" },
    body: { type: "string" },
  }),
  fn("create_ticket", "Creates a support ticket.", {
    title: { type: "string" },
    priority: { type: "string", enum: ["low", "medium", "high"] },
  }),
  fn("book_table", "Books a table at a restaurant.", {
    restaurant: { type: "string" },
    time: text("HH:MM"),
    people: { type: "integer", minimum: 1 },
  }),
  fn("convert_currency", "Converts an amount from one currency to another.", {
    amount: { type: "number" },
    from: text("Currency code"),
    to: text("Currency code"),
  }),
  fn("translate", "Translates text.", { text: { type: "string" }, target_language: text("Language") }),
  fn("search_flights", "Finds flights between two cities.", {
    from: text("City"),
    to: text("City"),
    date: text("YYYY-MM-DD"),
  }),
  fn("get_stock_price", "Price of a share.", { symbol: { type: "string" } }),
  fn("get_order_status", "Status of an order.", { order_id: { type: "string" } }),
  fn("set_light", "Turns a light on or off.", { room: { type: "string" }, on: { type: "boolean" } }),
  fn("create_event", "Creates a calendar event.", {
    title: { type: "string" },
    date: text("YYYY-MM-DD"),
    time: text("HH:MM"),
  }),
];

const MOMENT = { time: "2026-11-23T01:59:43.110+09:00", zone: "Asia/Tokyo", weekday: "Monday" };

/** The output of each function, in the shape of a real one. */
const OUTPUTS: Readonly<Record<string, unknown>> = {
  list_files: {
    path: ".",
    entries: [
      { path: "README.md", type: "file", bytes: 26 },
      { path: "notes.txt", type: "file", bytes: 10 },
      { path: "src", type: "folder" },
    ],
    total: 3,
  },
  read_file: { path: "notes.txt", text: "milk\neggs\n", first_line: 1, last_line: 2 },
  file_stats: { path: "README.md", bytes: 7166, kind: "text", lines: 100, words: 952 },
  search_files: {
    files: [{ path: "src/agent.ts", matches: [{ line: 4, text: "createAgent()" }] }],
    total: 1,
    searched: 9,
  },
  calculator: { result: "391" },
  current_time: { times: [MOMENT] },
  convert_time: { from: MOMENT, to: [MOMENT] },
  shift_time: { from: MOMENT, result: MOMENT },
  time_between: { from: MOMENT, to: MOMENT, duration: "1 month 2 days", calendar_days: 33, total_days: 33 },
  web_fetch: { url: "https://example.com/a", title: "A page", text: "First line.\nSecond line." },
  web_search: { query: "x", results: [{ title: "Lima on a budget", uri: "https://example.com/lima" }] },
  run_command: { exit_code: 0, output: "hello\n", duration_ms: 2 },
  write_note: { id: "n1" },
  update_note: { id: "n1" },
  search_notes: {
    notes: [{ id: "n1", text: "My dog is called Rex", updated: "2026-11-22T16:29:54Z" }],
    found: 1,
    total: 1,
  },
  sql_schema: { tables: [{ table: "customers", kind: "table", columns: [{ name: "id", type: "INTEGER" }], rows: 2 }] },
  sql_query: { columns: ["count"], rows: [[2]] },
  ask_user: { answer: "Blue" },
  get_weather: { celsius: -3, sky: "snow" },
  add: 5,
  send_email: { id: "m7" },
  create_ticket: { id: "T-1" },
  convert_currency: { amount: 92.5, currency: "EUR" },
  translate: { translation: "bonjour" },
  search_flights: { flights: [{ name: "DY1872" }, { name: "SK4711" }] },
  get_stock_price: { price: 180.25, currency: "USD" },
  get_order_status: { status: "shipped" },
};

/** The answer to a call; `{ ok: true }` for functions that only change something. */
export function outputOf(name: string, { path }: JsonObject = {}): unknown {
  const output = OUTPUTS[name] ?? { ok: true };
  return name === "file_stats" && path !== undefined ? { ...output, path } : output;
}
