// Run by `npm start`: one question that needs two tools at once and a search, then typed output, then a follow-up.
import { parseArgs } from "node:util";
import { connect, formatUsage, RunPrinter } from "@pollux/cli";
import { Agent, AgentError, finished, googleSearch, renderMarkdown, type RunResult } from "@pollux/core";
import { fileStats, listFiles } from "@pollux/tools/files";
import { z } from "zod";

const HELP = `Usage: npm start [-- "your question"]

Asks a Gemini agent one question, with tools over this repository's files and Google Search, and shows the run as it happens.

  -m, --model ID   model to ask (default gemini-flash-latest)
  -h, --help       this text

Environment: GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY to talk to the service; without one a local emulator answers.
POLLUX_LOG=debug logs each request; POLLUX_PRICES=INPUT,OUTPUT (money per million tokens) shows the cost; NO_COLOR=1 switches colours off.
Exit code: 0 when the run finished, 1 when it did not, 2 when the command line is wrong.
`;

const QUESTION =
  "Get the stats of the file README.md, list the files of this repository, and search the web for what is new in the Gemini API.";

interface Arguments {
  readonly question: string | undefined;
  readonly model: string;
}

/** Parses the command line; exits for `--help` and for invalid arguments. */
function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        model: { type: "string", short: "m", default: "gemini-flash-latest" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { question: positionals.length === 0 ? undefined : positionals.join(" "), model: values.model };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

async function main({ question = QUESTION, model }: Arguments): Promise<boolean> {
  await using connection = await connect();
  const printer = new RunPrinter();
  printer.line(connection.description);

  const root = new URL("..", import.meta.url).pathname;
  const agent = new Agent({
    model,
    endpoint: connection.endpoint,
    instructions:
      "You answer questions about the repository you are given tools for. Be brief. Call tools in parallel where you can.",
    tools: [listFiles({ root }), fileStats({ root }), googleSearch()],
    includeThoughts: true,
  });
  const chat = agent.chat();

  printer.line(`\n> ${question}\n`);
  const stream = chat.stream(question);
  for await (const event of stream) printer.print(event);
  const result = await stream.result();
  printer.endLine();
  if (result.stopReason !== "finished") return ended(result, printer);
  if (result.sources.length > 0) {
    printer.note("\nThe same answer with its sources:\n");
    printer.line(renderMarkdown(result));
    printer.note(
      `\n${result.sources.length} sources, ${result.citations.length} cited ranges, ${result.groundedBy} search`,
    );
  }

  printer.line("\n> The same as typed output\n");
  const summary = z.object({
    answer: z.string().describe("The answer in one sentence"),
    confidence: z.enum(["low", "medium", "high"]),
    files: z.array(z.string()).max(5).describe("Files that were looked at"),
  });
  const typed = await agent.run([...chat.history, { role: "user", parts: [{ text: "Summarise your answer." }] }], {
    output: summary,
    tools: [],
  });
  if (typed.stopReason !== "finished") return ended(typed, printer);
  const { answer, confidence, files } = finished(typed).output;
  printer.line(`${answer}\nconfidence: ${confidence}; files: ${files.join(", ") || "none"}`);

  const next = "Thank you. What did I ask you first?";
  printer.line(`\n> ${next}\n`);
  const last = chat.stream(next);
  for await (const event of last) printer.print(event);
  const followUp = await last.result();
  printer.endLine();
  if (followUp.stopReason !== "finished") return ended(followUp, printer);

  printer.note(`\nconversation: ${formatUsage(chat.usage)}`);
  printer.note(`typed output: ${formatUsage(typed.usage)}`);
  return true;
}

function ended(result: RunResult<unknown>, printer: RunPrinter): false {
  printer.line(`the run ended with "${result.stopReason}" after ${result.turns} turns`);
  return false;
}

try {
  process.exitCode = (await main(readArguments())) ? 0 : 1;
} catch (error) {
  if (!(error instanceof AgentError)) throw error;
  process.stderr.write(`\n${error.name}: ${error.message}\n`);
  process.exitCode = 1;
}
