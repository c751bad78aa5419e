import type { JsonObject } from "@pollux/core/wire";

/** A prompt, what it must call and with which arguments, and what the answer says. */
export type EverydayRow = readonly [
  prompt: string,
  calls: readonly (readonly [name: string, args: JsonObject])[],
  says: string,
];

/** Prompts to an agent with all tools of `everyday-tools.ts`. */
export const EVERYDAY: readonly EverydayRow[] = [
  ["Add 2 and 3", [["calculator", { expression: "2 + 3" }]], "2 + 3 = 391."],
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
    "List the files and read one of them",
    [
      ["list_files", {}],
      ["read_file", { path: "README.md" }],
    ],
    "I found 3 entries: README.md, notes.txt and src.\n\nREADME.md says:\n\n> milk\n> eggs",
  ],
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
  [
    "Replace foo with bar in notes.txt",
    [["edit_file", { path: "notes.txt", edits: [{ old_text: "foo", new_text: "bar" }] }]],
    "Done: I edited notes.txt.",
  ],
  ["What is 17 * 23?", [["calculator", { expression: "17 * 23" }]], "17 * 23 = 391."],
  ["What is 15% of 80?", [["calculator", { expression: "80 * 15 / 100" }]], "80 * 15 / 100 = 391."],
  ["Calculate the square root of 144", [["calculator", { expression: "sqrt(144)" }]], "sqrt(144) = 391."],
  ["How many km are 5 miles?", [["calculator", { expression: "5 mile to km" }]], "5 mile to km = 391."],
  [
    "What time is it in Tokyo and in Oslo?",
    [["current_time", { zones: ["Asia/Tokyo", "Europe/Oslo"] }]],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  ["What time is it?", [["current_time", {}]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  [
    "What is 14:30 in Berlin in New York?",
    [["convert_time", { time: "14:30", from_zone: "Europe/Berlin", to_zones: ["America/New_York"] }]],
    "Time: Monday, 2026-11-23 01:59 (Asia/Tokyo), to Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "How many days until 2026-12-24?",
    [["time_between", { from: "now", to: "2026-12-24" }]],
    "It is 1 month 2 days: 33 days by the calendar.",
  ],
  [
    "How long is it between 2026-01-01 and 2026-03-01?",
    [["time_between", { from: "2026-01-01", to: "2026-03-01" }]],
    "It is 1 month 2 days: 33 days by the calendar.",
  ],
  ["What date is it in 3 weeks?", [["shift_time", { weeks: 3 }]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  ["What was the date 10 days ago?", [["shift_time", { days: -10 }]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
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
  ["Run `ls -la`", [["run_command", { command: "ls -la" }]], "ls -la says: hello."],
  ["Run npm test", [["run_command", { command: "npm test" }]], "npm test says: hello."],
  [
    "Remember that my dog is called Rex",
    [["write_note", { text: "My dog is called Rex" }]],
    "Done: I saved the note: My dog is called Rex.",
  ],
  [
    "What do you remember about my dog?",
    [["search_notes", { query: "my dog" }]],
    "I found 1 note for my dog: My dog is called Rex.",
  ],
  [
    "Plan the party: buy milk, bake a cake and invite Ada",
    [["set_todos", { items: [{ text: "Buy milk" }, { text: "Bake a cake" }, { text: "Invite Ada" }] }]],
    "Done: I set the todos.",
  ],
  ["Mark item 2 as done", [["update_todo", { id: "2", status: "done" }]], "Done: I updated the todo: 2."],
  [
    "How many customers do we have?",
    [
      ["sql_schema", {}],
      ["sql_query", { sql: "SELECT COUNT(*) AS count FROM customers" }],
    ],
    "I found 1 table: customers. The count is 2.",
  ],
  ["Which tables are in the database?", [["sql_schema", {}]], "I found 1 table: customers."],
  [
    "Run the query SELECT name FROM customers WHERE id = 1",
    [["sql_query", { sql: "SELECT name FROM customers WHERE id = 1" }]],
    "The count is 2.",
  ],
  ["Ask me which color I like", [["ask_user", { question: "Which color do you like?" }]], "You answered: Blue."],
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
    "Done: I sent the email (m7) to ada@lovelace.dev.",
  ],
  [
    "Send an email to bob@example.com about the invoice saying it is paid",
    [["send_email", { to: "bob@example.com", subject: "Invoice", body: "It is paid" }]],
    "Done: I sent the email (m7) to bob@example.com.",
  ],
  [
    "Create a ticket: the login page is broken, it is urgent",
    [["create_ticket", { title: "The login page is broken, it is urgent", priority: "high" }]],
    "Done: I created the ticket (T-1): The login page is broken, it is urgent.",
  ],
  [
    "Book a table at Luigi's for 4 people at 7pm",
    [["book_table", { restaurant: "Luigi's", time: "19:00", people: 4 }]],
    "Done: I booked the table: Luigi's.",
  ],
  ["Convert 100 USD to EUR", [["convert_currency", { amount: 100, from: "USD", to: "EUR" }]], "Currency: 92.5 EUR."],
  [
    "How much is 20 euros in dollars?",
    [["convert_currency", { amount: 20, from: "EUR", to: "USD" }]],
    "Currency: 92.5 EUR.",
  ],
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
  ["Where is my order A-1001?", [["get_order_status", { order_id: "A-1001" }]], "The status is shipped."],
  [
    "Turn on the light in the kitchen",
    [["set_light", { room: "kitchen", on: true }]],
    "Done: I set the light: kitchen.",
  ],
  [
    "Schedule a meeting with Ada tomorrow at 3pm",
    [["create_event", { title: "Meeting with Ada", date: "2026-11-22", time: "15:00" }]],
    "Done: I created the event: Meeting with Ada.",
  ],
  [
    "Tell me a joke",
    [],
    "Without a model, I have no answer to “Tell me a joke”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["Hello", [], "Hello! What can I do for you?"],
  ["Say hello", [], "Hello!"],
  ["Thanks for the weather!", [], "You are welcome."],
  [
    "What is the capital of France?",
    [],
    "Without a model, I have no answer to “What is the capital of France?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["I have no time for this.", [], "Noted."],
  [
    "Write a haiku about the weather",
    [],
    "Without a model, I have no answer to “Write a haiku about the weather”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Read a file",
    [
      ["list_files", {}],
      ["read_file", { path: "README.md" }],
    ],
    "I found 3 entries: README.md, notes.txt and src.\n\nREADME.md says:\n\n> milk\n> eggs",
  ],
  ["What is the weather?", [], "Which city do you mean?"],
  ["How are you?", [], "I am fine, thank you. What can I do for you?"],
  [
    "Delete the note about my dog",
    [
      ["search_notes", { query: "my dog" }],
      ["delete_note", { id: "n1" }],
    ],
    "I found 1 note for my dog: My dog is called Rex. Done: I deleted the note: n1.",
  ],
  [
    "Who are you?",
    [],
    "I stand in for a Gemini model, so that you can try things without a key. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "What can you do?",
    [],
    "I stand in for a Gemini model, so that you can try things without a key. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Add 2 and 3, then tell me the weather in Lima",
    [
      ["calculator", { expression: "2 + 3" }],
      ["get_weather", { city: "Lima" }],
    ],
    "2 + 3 = 391. Weather in Lima: -3 °C, snow.",
  ],
  [
    "Weather and time in Oslo, please",
    [
      ["current_time", { zones: ["Europe/Oslo"] }],
      ["get_weather", { city: "Oslo" }],
    ],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo). Weather in Oslo: -3 °C, snow.",
  ],
  ["Turn off the kitchen light", [["set_light", { room: "kitchen", on: false }]], "Done: I set the light: kitchen."],
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
  [
    "Search for fetch in src, ignoring case",
    [["search_files", { pattern: "fetch", path: "src", ignore_case: true }]],
    "I found 1 file for fetch: src/agent.ts.",
  ],
  ["Explain what package.json does", [["read_file", { path: "package.json" }]], "package.json says:\n\n> milk\n> eggs"],
  [
    "what's in the docs folder?",
    [["list_files", { path: "docs" }]],
    "I found 3 entries in docs: README.md, notes.txt and src.",
  ],
  ["What day is it today?", [["current_time", {}]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  ["I need the weather for Lima please", [["get_weather", { city: "Lima" }]], "Weather in Lima: -3 °C, snow."],
  [
    "Could you please email bob@example.com about dinner?",
    [["send_email", { to: "bob@example.com", subject: "Dinner", body: "dinner" }]],
    "Done: I sent the email (m7) to bob@example.com.",
  ],
  [
    "Delete README.md",
    [],
    "I have no tool for “Delete README.md”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  [
    "Make a todo list: write tests, fix bug, release",
    [["set_todos", { items: [{ text: "Write tests" }, { text: "Fix bug" }, { text: "Release" }] }]],
    "Done: I set the todos.",
  ],
  ["What is 2 plus 2?", [["calculator", { expression: "2 + 2" }]], "2 + 2 = 391."],
  ["What is 12 divided by 4?", [["calculator", { expression: "12 / 4" }]], "12 / 4 = 391."],
  ["Subtract 3 from 10", [["calculator", { expression: "10 - 3" }]], "10 - 3 = 391."],
  [
    "show me all customers from the database",
    [
      ["sql_schema", {}],
      ["sql_query", { sql: "SELECT * FROM customers LIMIT 10" }],
    ],
    "I found 1 table: customers. The count is 2.",
  ],
  [
    "Who won the world cup?",
    [["web_search", { query: "Who won the world cup" }]],
    "I found 1 result for Who won the world cup: Lima on a budget.",
  ],
  [
    "What is the latest news about Gemini?",
    [["web_search", { query: "latest news about Gemini" }]],
    "I found 1 result for latest news about Gemini: Lima on a budget.",
  ],
  ["Convert 5 miles to kilometers", [["calculator", { expression: "5 mile to km" }]], "5 mile to km = 391."],
  ["Is it raining in Bergen?", [["get_weather", { city: "Bergen" }]], "Weather in Bergen: -3 °C, snow."],
  [
    "What's the time in London?",
    [["current_time", { zones: ["Europe/London"] }]],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "Add a note that the wifi password is hunter2",
    [["write_note", { text: "The wifi password is hunter2" }]],
    "Done: I saved the note: The wifi password is hunter2.",
  ],
  ["Call get_weather for Lima", [["get_weather", { city: "Lima" }]], "Weather in Lima: -3 °C, snow."],
  ["Tell me about the weather in Oslo", [["get_weather", { city: "Oslo" }]], "Weather in Oslo: -3 °C, snow."],
  ["Summarize README.md in one sentence", [["read_file", { path: "README.md" }]], "README.md says:\n\n> milk\n> eggs"],
  ["Multiply 6 by 7", [["calculator", { expression: "6 * 7" }]], "6 * 7 = 391."],
  ["Convert 20 celsius to fahrenheit", [["calculator", { expression: "20 degC to degF" }]], "20 degC to degF = 391."],
  [
    "What do you know about Ada?",
    [["search_notes", { query: "Ada" }]],
    "I found 1 note for Ada: My dog is called Rex.",
  ],
  [
    "Where is ConfigurationError used in packages/core?",
    [["search_files", { pattern: "ConfigurationError", path: "packages/core" }]],
    "I found 1 file for ConfigurationError: src/agent.ts.",
  ],
  [
    "How many files are there in src?",
    [["list_files", { path: "src" }]],
    "I found 3 entries in src: README.md, notes.txt and src.",
  ],
  ["Which is the biggest file here?", [["list_files", {}]], "I found 3 entries: README.md, notes.txt and src."],
  [
    "List everything, including subfolders",
    [["list_files", { recursive: true }]],
    "I found 3 entries: README.md, notes.txt and src.",
  ],
  ["Find all TypeScript files", [["list_files", { glob: "*.ts" }]], "I found 3 entries: README.md, notes.txt and src."],
  [
    "Show me the contents of the docs folder",
    [["list_files", { path: "docs" }]],
    "I found 3 entries in docs: README.md, notes.txt and src.",
  ],
  [
    "Summarize the project",
    [
      ["list_files", {}],
      ["read_file", { path: "README.md" }],
    ],
    "I found 3 entries: README.md, notes.txt and src.\n\nREADME.md says:\n\n> milk\n> eggs",
  ],
  [
    "What is bigger, README.md or notes.txt?",
    [
      ["file_stats", { path: "README.md" }],
      ["file_stats", { path: "notes.txt" }],
    ],
    "README.md: 7166 bytes, 100 lines, 952 words. notes.txt: 7166 bytes, 100 lines, 952 words.",
  ],
  ["Fix the bug in src/math.ts", [["read_file", { path: "src/math.ts" }]], "src/math.ts says:\n\n> milk\n> eggs"],
  [
    "Make a file called shopping.txt that says apples and bread",
    [["write_file", { path: "shopping.txt", content: "apples and bread" }]],
    "Done: I wrote shopping.txt.",
  ],
  [
    "Rename the variable answer to result in src/index.ts",
    [["edit_file", { path: "src/index.ts", edits: [{ old_text: "answer", new_text: "result" }] }]],
    "Done: I edited src/index.ts.",
  ],
  [
    "Change milk to oat milk in notes.txt",
    [["edit_file", { path: "notes.txt", edits: [{ old_text: "milk", new_text: "oat milk" }] }]],
    "Done: I edited notes.txt.",
  ],
  [
    "Does any file mention copyright?",
    [["search_files", { pattern: "copyright" }]],
    "I found 1 file for copyright: src/agent.ts.",
  ],
  ["Is there a function called add?", [["search_files", { pattern: "add" }]], "I found 1 file for add: src/agent.ts."],
  [
    "What is 20% off 49.99?",
    [["calculator", { expression: "49.99 * (100 - 20) / 100" }]],
    "49.99 * (100 - 20) / 100 = 391.",
  ],
  ["What is half of 90?", [["calculator", { expression: "90 / 2" }]], "90 / 2 = 391."],
  ["12 times 12", [["calculator", { expression: "12 * 12" }]], "12 * 12 = 391."],
  ["How many seconds are in a day?", [["calculator", { expression: "1 day to second" }]], "1 day to second = 391."],
  ["Split a bill of 84 euros between 3 people", [["calculator", { expression: "84 / 3" }]], "84 / 3 = 391."],
  [
    "Calculate 5 factorial, and read notes.txt",
    [
      ["calculator", { expression: "5!" }],
      ["read_file", { path: "notes.txt" }],
    ],
    "5! = 391.\n\nnotes.txt says:\n\n> milk\n> eggs",
  ],
  [
    "If I have 12 apples and eat 5, how many are left?",
    [],
    "Without a model, I have no answer to “If I have 12 apples and eat 5, how many are left?”. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["What's the date tomorrow?", [["shift_time", { days: 1 }]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  [
    "What day of the week was 4 July 1776?",
    [["shift_time", { time: "1776-07-04" }]],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "How many weeks until Christmas?",
    [["time_between", { from: "now", to: "2026-12-25" }]],
    "It is 1 month 2 days: 33 days by the calendar.",
  ],
  [
    "Add 90 minutes to 14:15",
    [["shift_time", { time: "14:15", minutes: 90 }]],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "What is the time difference between New York and Tokyo?",
    [["current_time", { zones: ["America/New_York", "Asia/Tokyo"] }]],
    "It is Monday, 2026-11-23 01:59 (Asia/Tokyo).",
  ],
  [
    "What's the latest version of Node.js?",
    [["web_search", { query: "latest version of Node.js" }]],
    "I found 1 result for latest version of Node.js: Lima on a budget.",
  ],
  [
    "Find me a recipe for lasagna",
    [["web_search", { query: "recipe for lasagna" }]],
    "I found 1 result for recipe for lasagna: Lima on a budget.",
  ],
  ["Show me the git status", [["run_command", { command: "git status" }]], "git status says: hello."],
  [
    "Which version of node is installed?",
    [["run_command", { command: "node --version" }]],
    "node --version says: hello.",
  ],
  [
    "Note that the meeting was moved to Friday",
    [["write_note", { text: "The meeting was moved to Friday" }]],
    "Done: I saved the note: The meeting was moved to Friday.",
  ],
  ["Remind me to call mom", [["write_note", { text: "Call mom" }]], "Done: I saved the note: Call mom."],
  ["What did I ask you to remember?", [["search_notes", {}]], "I found 1 note: My dog is called Rex."],
  ["When is my birthday?", [["search_notes", {}]], "I found 1 note: My dog is called Rex."],
  ['Add "buy stamps" to my todo list', [["set_todos", { items: [{ text: "buy stamps" }] }]], "Done: I set the todos."],
  [
    "Make a plan for writing a blog post",
    [["set_todos", { items: [{ text: "Writing a blog post" }] }]],
    "Done: I set the todos.",
  ],
  ["Mark the first todo as done", [["update_todo", { id: "1", status: "done" }]], "Done: I updated the todo: 1."],
  [
    "List all customers",
    [
      ["sql_schema", {}],
      ["sql_query", { sql: "SELECT * FROM customers LIMIT 10" }],
    ],
    "I found 1 table: customers. The count is 2.",
  ],
  [
    "Show the newest customer",
    [
      ["sql_schema", {}],
      ["sql_query", { sql: "SELECT * FROM customers ORDER BY id DESC LIMIT 1" }],
    ],
    "I found 1 table: customers. The count is 2.",
  ],
  ["Ask me for my name", [["ask_user", { question: "What is your name?" }]], "You answered: Blue."],
  [
    "Ask me what color the door should be",
    [["ask_user", { question: "What color should the door be?" }]],
    "You answered: Blue.",
  ],
  [
    "What's your name?",
    [],
    "I stand in for a Gemini model, so that you can try things without a key. What I can do is call tools such as list_files, read_file, search_files and file_stats.",
  ],
  ["Never mind", [], "All right. What can I do for you?"],
  ["yes please", [], "All right. What can I do for you?"],
  ["What time will it be in 3 hours?", [["shift_time", { hours: 3 }]], "It is Monday, 2026-11-23 01:59 (Asia/Tokyo)."],
  ["What is 7 squared plus 1?", [["calculator", { expression: "7^2 + 1" }]], "7^2 + 1 = 391."],
  ["Find the word milk", [["search_files", { pattern: "milk" }]], "I found 1 file for milk: src/agent.ts."],
  ["Ask the user for their email", [["ask_user", { question: "What is your email?" }]], "You answered: Blue."],
];
