import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The folder of the examples. */
export const folder: string = fileURLToPath(new URL("../../examples/", import.meta.url));

/** The file that `npm start` runs. */
export const QUICKSTART = "quickstart.ts";

/** Ends a hang, in milliseconds. */
const PATIENCE_MS = 600_000;

/** The expected output of each example. An unlisted example fails a test. */
export const PRINTS: Readonly<Record<string, readonly RegExp[]>> = {
  "01-text.ts": [/^finished after 1 turn: \S+/m],
  "02-streaming.ts": [/\w+/, /^\d+ tokens$/m],
  "03-system-instruction.ts": [/\w+/],
  "04-thinking.ts": [/^\(thinking\) \S+/m, /^[1-9]\d* tokens of thought$/m],
  "05-typed-output.ts": [/: \d+ minutes, (easy|medium|hard), [1-8] ingredients/, /^[[{"\d].*$/m],
  "06-image-input.ts": [/image\/png/],
  "07-function-calling.ts": [/get_weather \{ city: '\w+' \}/, /celsius: 9/, /celsius: 17/],
  "08-search-grounding.ts": [/\[1\]/, /^".+" <- 1/m, /^searched for: .+; entry points to show: 1$/m],
  "09-maps-grounding.ts": [/^\[1\] maps: \S+/m],
  "10-code-execution.ts": [/^code:$/m, /^OUTCOME_OK: /m],
  "11-image-output.ts": [/^an image of type image\/\w+, [1-9]\d* bytes$/m],
  "12-search-and-functions.ts": [
    /^gemini-flash-latest: finished, grounded by native search, [1-9]\d* sources$/m,
    /^gemini-2.5-flash-lite: finished, grounded by delegated search, [1-9]\d* sources$/m,
  ],
  "13-cometapi.ts": [/^x-goog-api-key: \S+/m, /^bearer: \S+/m],
  "14-record-and-replay.ts": [
    /^recorded: (\S.*)\nreplayed: \1 \(2 requests\)$/m,
    /^another question: .*contents\[0\]\.parts\[0\]\.text was ".+" and is now ".+"/m,
  ],
  "15-files.ts": [/^([1-9]\d*) of \1 bytes$/m, /^files\/\S+ is ACTIVE until \d{4}-/m, /^deleted$/m],
  "16-explicit-cache.ts": [
    /^cachedContents\/\S+ holds [1-9]\d* tokens until \d{4}-/m,
    /^[1-9]\d* of [1-9]\d* input tokens came from the cache: \S+/m,
    /^now until \d{4}-/m,
    /^deleted$/m,
  ],
  "17-count-tokens-and-models.ts": [
    /^[1-9]\d* tokens, [1-9]\d* of them instructions and tools$/m,
    /^gemini-3.8-flash: [1-9]\d* tokens of input, thinks by level$/m,
  ],
  "18-settings-and-fields.ts": [
    /^finish reason: STOP$/m,
    /^model version: gemini-2.5-flash$/m,
    /^created: \d{4}-/m,
    /^traffic type: ON_DEMAND$/m,
    /^mean log probability: -\d/m,
    /totalTokens: [1-9]/,
  ],
  "20-mcp.ts": [/^mcp_get_weather is get_weather of the server$/m, /^mcp_get_weather \{ city: '\w+', celsius: 9 \}$/m],
  "21-team.ts": [
    /^planner > calculator$/m,
    /^planner > researcher$/m,
    /^planner > researcher: an answer$/m,
    /^calculator: \{ result: '117.6' \}$/m,
    /^3 requests, [1-9]\d* tokens, including the researcher's$/m,
    /\[1\] /,
    /^1\. \[/m,
  ],
  "22-cost.ts": [
    /^ +[1-9]\d{3,} +0 +[1-9]\d* {2}0\.\d{6}$/m,
    /^ +[1-9]\d{3,} +[1-9]\d{3,} +[1-9]\d* {2}0\.\d{6}$/m,
    /^[1-9]\d* requests: [1-9]\d* of [1-9]\d* prompt tokens came from the cache$/m,
    /^0\.\d{6} in all; it would have been 0\.\d{6} without the cache$/m,
  ],
  "23-opentelemetry.ts": [
    /^invoke_agent planner +\d\S* m?s +[1-9]\d* in +[1-9]\d* out +\$0\.\d{4} {2}pending: book_tickets$/m,
    /^├─ execute_tool researcher .*\n│ {2}└─ invoke_agent researcher .*\n│ {5}└─ generate_content .* retry: 503$/m,
    /^├─ execute_tool get_exchange_rate .*\n│ {2}└─ look up rate |^└─ execute_tool get_exchange_rate .*\n {3}└─ look up rate /m,
    /trace ([\da-f]{8})\ninvoke_agent planner [^]+\ninvoke_agent planner .* continues \1\n├─ execute_tool book_tickets /,
  ],
  "24-speech.ts": [
    /^one voice: [1-9]\d* ms at 24000 Hz, 1 channel$/m,
    /^two voices: [1-9]\d* bytes in [1-9]\d* pieces, one sound$/m,
    /^saved: sound-1\.wav, sound-2\.wav$/m,
  ],
  "25-decisions.ts": [
    /^guardrail: an insult$/m,
    /^the shop is to blame: true \(0\.9\d\)\nfinished: Refund: refunded\./m,
    /^the shop is to blame: false \(0\.9\d\)\nneeds-approval: $/m,
    /^billing \(0\.\d\d\), for 0\.00000\d$/m,
  ],
  "26-untrusted.ts": [
    /^review 7 is read\nread_review: completed\nasked: refund \{"order":17\}, outside, after read_review\nrefund: failed$/m,
    /^review 7 is read\nrate_review: completed\nrefund: completed$/m,
  ],
  "27-tool-search.ts": [
    /^2 of 502 tools are declared$/m,
    /^search_tools: completed\ninvoices_count: completed\nDone: .*42/m,
    /^asked: shipments_cancel \{"id":"17"\}\nsearch_tools: completed\nshipments_cancel: completed$/m,
  ],
  "approval.ts": [
    /^first process: needs-approval$/m,
    /^May pay_invoice run with \{/m,
    /^second process: finished: \S+/m,
  ],
  "context.ts": [/^ann: get_balance gave 120 euros$/m, /^bob: get_balance gave 7 euros$/m],
  "guardrails.ts": [
    /^on-topic: stop \(asks for a password\)\nguardrail$/m,
    /^no-digits: replace \(digits\)\nshown: .*room ###/m,
  ],
  "mcp-desk.ts": [
    /^\/evening: Plans an evening\.\nmenu: Cod with potatoes, 24 euros$/m,
    /^May it reserve_table\? \[ 'yes', 'no' \]$/m,
    /^The MCP server ".+" asks: Where would you like to sit\?\nplace \[ 'window', 'garden' \]$/m,
    /^reserve_table: A table is reserved: window\.$/m,
  ],
  "partial-output.ts": [
    /^.+: \d steps so far$/m,
    /^(.+): ([3-5]) steps so far\n\1: \2 steps, in [1-9]\d* updates$/m,
    /^1\. .+ \(\d+ min\)\n2\. /m,
    /^[3-5] steps in all$/m,
  ],
  "embeddings.ts": [
    /^10 notes, [1-9]\d* tokens, 768 dimensions$/m,
    /^How do I restart the router\? Router \(0\.\d\d\), then /m,
    /^When should I water the tomatoes\? Tomatoes \(0\.\d\d\), then /m,
    /^When does my passport expire\? Passport \(0\.\d\d\), then /m,
  ],
  "resume.ts": [
    /^starts$/m,
    /^process \d+: killed by SIGKILL$/m,
    /^resumes; the last run: cut-off$/m,
    /^finished: \S+/m,
    /^effects:\nbook_hotel begins\nbook_hotel done in \S+, key call:1\.0\nbook_train begins\nbook_train begins\nbook_train done in \S+, key call:1\.1$/m,
  ],
  "skills.ts": [
    /^use_skill \{ name: 'release-notes' \}\nuse_skill \{ name: 'release-notes', file: 'references\/words\.md' \}\n\*\*New\*\*$/m,
    /^may it run_command\? \{"command":"sh expense-policy\/scripts\/total\.sh expense-policy\/assets\/march\.csv"\}: yes$/m,
    /^printed: 325\.40$/m,
    /^changed since they were read: none$/m,
  ],
  [QUICKSTART]: [
    /^Pollux {2}.+\nNo API key is set, so a local emulator answers/,
    /→ list_files/,
    /→ file_stats/,
    /✓ file_stats \d+ ms/,
    /→ GOOGLE_SEARCH_WEB /,
    /\S\[1\]/,
    /^ {4}\[1\] \S+ {2}https:/m,
    /^ {4}kind {3}text$/m,
    // The title already names the service.
    /^(?![\s\S]*no model wrote this)/,
    /^ {8}✓ book_hotel \d+ ms {2}booked, Rome\n {8}→ book_train .*\n {4}✗ process \d+ is killed while it books the train\n {4}process \d+ resumes/m,
    /^ {8}✓ book_hotel done before, not run again {2}booked, Rome$/m,
    /^ {4}✓ book_hotel ran once; book_train ran 2 times, always with the key call:\d\.\d$/m,
    /^ {4}the trip +[23] +[1-9]\d* .*\$0\.\d{4}$/m,
    /^ {4}npm start -- ".+" {2}/m,
  ],
};

/** The environment without keys and other variables that select a service, so that the emulator answers. */
export function withoutKeys(): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !/^(?:GOOGLE|GEMINI|COMETAPI|POLLUX_LIVE)_/.test(name));
  return { ...Object.fromEntries(rest), NO_COLOR: "1" };
}

/** Runs one to its end, in its own process. */
export async function runExample(
  file: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--conditions=pollux-source", folder + file, ...args],
      { env: withoutKeys(), timeout: PATIENCE_MS },
    );
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const failed = error as { readonly code?: number; readonly stdout?: string; readonly stderr?: string };
    return { code: failed.code ?? 1, output: `${failed.stdout}${failed.stderr}` };
  }
}

/** Runs one and checks its output against the table. @returns Its output. */
export async function expectPrints(file: string): Promise<string> {
  // Not at the top, since `pnpm live` reads the table outside of a test.
  const { expect } = await import("vitest");
  const { code, output } = await runExample(file);
  expect(output).not.toMatch(/\u001b\[/); // no colors when the output is not a terminal
  for (const pattern of PRINTS[file] ?? []) expect(output).toMatch(pattern);
  expect({ code, output }).toEqual({ code: 0, output });
  return output;
}
