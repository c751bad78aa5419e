import type { JsonObject } from "@pollux/core/wire";

/** A prompt, with the expected calls, arguments and answer. */
export type EverydayRow = readonly [
  prompt: string,
  calls: readonly (readonly [name: string, args: JsonObject])[],
  says: string,
];

/** Prompts to an agent with all tools of `everyday-tools.ts`. */
export const EVERYDAY: readonly EverydayRow[] = [
  ["Add 2 and 3", [["add", { a: 2, b: 3 }]], "The result is 5."],
  ["read notes.txt", [["read_file", { path: "notes.txt" }]], "notes.txt says:\n\n> milk\n> eggs"],
  [
    "What is in this folder, and how big is README.md?",
    [
      ["list_files", {}],
      ["file_stats", { path: "README.md" }],
    ],
    "I found 3 entries: README.md, notes.txt and src. README.md: 7166 bytes, 100 lines, 952 words.",
  ],
  ["What is in notes.txt?", [["read_file", { path: "notes.txt" }]], "notes.txt says:\n\n> milk\n> eggs"],
  ["Show me package.json", [["read_file", { path: "package.json" }]], "package.json says:\n\n> milk\n> eggs"],
  [
    "Open src/index.ts and docs/guide.md",
    [
      ["read_file", { path: "src/index.ts" }],
      ["read_file", { path: "docs/guide.md" }],
    ],
    "src/index.ts says:\n\n> milk\n> eggs\n\ndocs/guide.md says:\n\n> milk\n> eggs",
  ],
  [
    "List the files in src",
    [["list_files", { path: "src" }]],
    "I found 3 entries in src: README.md, notes.txt and src.",
  ],
  ["List all *.ts files", [["list_files", { glob: "*.ts" }]], "I found 3 entries: README.md, notes.txt and src."],
  [
    "How many lines does README.md have?",
    [["file_stats", { path: "README.md" }]],
    "README.md: 7166 bytes, 100 lines, 952 words.",
  ],
  [
    'Find "TODO" in the source files',
    [["search_files", { pattern: "TODO" }]],
    "I found 1 file for TODO: src/agent.ts.",
  ],
  [
    "Where is createAgent defined?",
    [["search_files", { pattern: "createAgent" }]],
    "I found 1 file for createAgent: src/agent.ts.",
  ],
  [
    'Create hello.txt with the content "Hello, world"',
    [["write_file", { path: "hello.txt", content: "Hello, world" }]],
    "Done: I wrote hello.txt.",
  ],
  [
    "Write buy milk to todo.txt",
    [["write_file", { path: "todo.txt", content: "buy milk" }]],
    "Done: I wrote todo.txt.",
  ],
  ["What is 17 * 23?", [["calculator", { expression: "17 * 23" }]], "17 * 23 = 391."],
  ["What time is it?", [["current_time", {}]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  [
    "Summarize https://example.com/article",
    [["web_fetch", { url: "https://example.com/article" }]],
    "https://example.com/article says:\n\n> First line.\n> Second line.",
  ],
  [
    "Fetch https://example.com/a and https://example.com/b",
    [
      ["web_fetch", { url: "https://example.com/a" }],
      ["web_fetch", { url: "https://example.com/b" }],
    ],
    "https://example.com/a says:\n\n> First line.\n> Second line.\n\nhttps://example.com/b says:\n\n> First line.\n> Second line.",
  ],
  [
    "Search the web for cheap flights to Lima",
    [["web_search", { query: "cheap flights to Lima" }]],
    "I found 1 result for cheap flights to Lima: Lima on a budget.",
  ],
  [
    "Remember that my dog is called Rex",
    [["write_note", { text: "My dog is called Rex" }]],
    "Done: I saved the note: My dog is called Rex.",
  ],
  ["Which tables are in the database?", [["sql_schema", {}]], "I found 1 table: customers."],
  [
    "Run the query SELECT name FROM customers WHERE id = 1",
    [["sql_query", { sql: "SELECT name FROM customers WHERE id = 1" }]],
    "I found 1 row: 2.",
  ],
  [
    "What is the weather in Paris and in Rome?",
    [
      ["get_weather", { city: "Paris" }],
      ["get_weather", { city: "Rome" }],
    ],
    "Weather in Paris: -3 °C, snow. Weather in Rome: -3 °C, snow.",
  ],
  ["Do I need an umbrella in Oslo today?", [["get_weather", { city: "Oslo" }]], "Weather in Oslo: -3 °C, snow."],
  ["weather in oslo", [["get_weather", { city: "Oslo" }]], "Weather in Oslo: -3 °C, snow."],
  [
    "Email ada@lovelace.dev that lunch is at noon",
    [["send_email", { to: "ada@lovelace.dev", subject: "Lunch is at noon", body: "Lunch is at noon" }]],
    "Done: I sent the email to ada@lovelace.dev.",
  ],
  [
    "Send an email to bob@example.com about the invoice saying it is paid",
    [["send_email", { to: "bob@example.com", subject: "Invoice", body: "It is paid" }]],
    "Done: I sent the email to bob@example.com.",
  ],
  [
    "Book a table at Luigi's for 4 people at 7pm",
    [["book_table", { restaurant: "Luigi's", time: "19:00", people: 4 }]],
    "Done: I booked the table: Luigi's.",
  ],
  ["Convert 100 USD to EUR", [["convert_currency", { amount: 100, from: "USD", to: "EUR" }]], "Currency: 92.5 EUR."],
  [
    'Translate "good morning" to French',
    [["translate", { text: "good morning", target_language: "French" }]],
    "The translation is bonjour.",
  ],
  [
    "Find flights from Oslo to Rome on 2026-12-24",
    [["search_flights", { from: "Oslo", to: "Rome", date: "2026-12-24" }]],
    "I found 2 flights: DY1872 and SK4711.",
  ],
  ["What is the stock price of GOOG?", [["get_stock_price", { symbol: "GOOG" }]], "Stock price for GOOG: 180.25 USD."],
  ["Where is my order A-1001?", [["get_order_status", { order_id: "A-1001" }]], "Status for A-1001: shipped."],
  [
    "Tell me a joke",
    [],
    "Without a model, I have no answer to “Tell me a joke”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["Hello", [], "Hello! What can I do for you?"],
  ["Say hello", [], "Hello! What can I do for you?"],
  [
    "Thanks for the weather!",
    [],
    "Without a model, I have no answer to “Thanks for the weather!”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "What is the capital of France?",
    [],
    "Without a model, I have no answer to “What is the capital of France?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Write a haiku about the weather",
    [],
    "Without a model, I have no answer to “Write a haiku about the weather”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["What is the weather?", [], "Which city do you mean?"],
  [
    "Who are you?",
    [],
    "Without a model, I have no answer to “Who are you?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "What can you do?",
    [],
    "Without a model, I have no answer to “What can you do?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Add 2 and 3, then tell me the weather in Lima",
    [
      ["add", { a: 2, b: 3 }],
      ["get_weather", { city: "Lima" }],
    ],
    "The result is 5. Weather in Lima: -3 °C, snow.",
  ],
  [
    "Weather and time in Oslo, please",
    [
      ["get_weather", { city: "Oslo" }],
      ["current_time", {}],
    ],
    "Weather in Oslo: -3 °C, snow. It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "List the files in packages/core/src, recursively",
    [["list_files", { path: "packages/core/src", recursive: true }]],
    "I found 3 entries in packages/core/src: README.md, notes.txt and src.",
  ],
  [
    "Show the first 10 lines of README.md",
    [["read_file", { path: "README.md", lines: 10 }]],
    "README.md says:\n\n> milk\n> eggs",
  ],
  ['Which files mention "abort"?', [["search_files", { pattern: "abort" }]], "I found 1 file for abort: src/agent.ts."],
  ["Explain what package.json does", [["read_file", { path: "package.json" }]], "package.json says:\n\n> milk\n> eggs"],
  [
    "what's in the docs folder?",
    [["list_files", { path: "docs" }]],
    "I found 3 entries in docs: README.md, notes.txt and src.",
  ],
  ["I need the weather for Lima please", [["get_weather", { city: "Lima" }]], "Weather in Lima: -3 °C, snow."],
  [
    "Delete README.md",
    [],
    "Without a model, I have no answer to “Delete README.md”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["What is 2 plus 2?", [["calculator", { expression: "2 + 2" }]], "2 + 2 = 391."],
  ["What is 12 divided by 4?", [["calculator", { expression: "12 / 4" }]], "12 / 4 = 391."],
  [
    "What is the latest news about Gemini?",
    [["web_search", { query: "latest news about Gemini" }]],
    "I found 1 result for latest news about Gemini: Lima on a budget.",
  ],
  ["Is it raining in Bergen?", [["get_weather", { city: "Bergen" }]], "Weather in Bergen: -3 °C, snow."],
  [
    "Add a note that the wifi password is hunter2",
    [["write_note", { text: "The wifi password is hunter2" }]],
    "Done: I saved the note: The wifi password is hunter2.",
  ],
  ["Call get_weather for Lima", [["get_weather", { city: "Lima" }]], "Weather in Lima: -3 °C, snow."],
  ["Tell me about the weather in Oslo", [["get_weather", { city: "Oslo" }]], "Weather in Oslo: -3 °C, snow."],
  ["Summarize README.md in one sentence", [["read_file", { path: "README.md" }]], "README.md says:\n\n> milk\n> eggs"],
  ["Which is the biggest file here?", [["list_files", {}]], "I found 3 entries: README.md, notes.txt and src."],
  [
    "Show me the contents of the docs folder",
    [["list_files", { path: "docs" }]],
    "I found 3 entries in docs: README.md, notes.txt and src.",
  ],
  ["Fix the bug in src/math.ts", [["read_file", { path: "src/math.ts" }]], "src/math.ts says:\n\n> milk\n> eggs"],
  [
    "Make a file called shopping.txt that says apples and bread",
    [["write_file", { path: "shopping.txt", content: "apples and bread" }]],
    "Done: I wrote shopping.txt.",
  ],
  [
    "If I have 12 apples and eat 5, how many are left?",
    [],
    "Without a model, I have no answer to “If I have 12 apples and eat 5, how many are left?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Note that the meeting was moved to Friday",
    [["write_note", { text: "The meeting was moved to Friday" }]],
    "Done: I saved the note: The meeting was moved to Friday.",
  ],
  [
    "Ask me what color the door should be",
    [["ask_user", { question: "What color should the door be?" }]],
    "You answered: Blue.",
  ],
];
