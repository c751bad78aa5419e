// Run by `npm start`: what an agent does, in five short steps. With a question, only the answer to that question.
import { parseArgs } from "node:util";
import { type Connection, connect, formatUsage, RunPrinter } from "@pollux/cli";
import { improvise } from "@pollux/emulator/improvise";
import { compareCosts } from "./quickstart/cost.ts";
import { crashAndResume } from "./quickstart/crash-and-resume.ts";
import { askForTypedOutput, askWithSources, repositoryAgent } from "./quickstart/grounded-answer.ts";
import { Screen } from "./quickstart/screen.ts";

const HELP = `Usage: npm start [-- "your question"]

Shows a Gemini agent at work: parallel tools over this repository's files, Google Search with footnotes, typed output, a crash
and a resume, and what it cost. With a question, answers that question.

  -m, --model ID   model to ask (default gemini-flash-latest)
  -h, --help       this text

Environment: GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY to talk to the service; without one a local emulator answers.
POLLUX_LOG=debug logs each request; NO_COLOR=1 switches colors off.
Exit code: 0 when the agent finished, 1 when it did not, 2 when the command line is wrong.
`;

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
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split(/(?<=\.) /, 1);
    process.stderr.write(`npm start: ${reason}\nTry: npm start -- --help\n`);
    process.exit(2);
  }
}

async function showEverything(connection: Connection, model: string): Promise<void> {
  const screen = new Screen();
  screen.title("Pollux", "tool-using agents on the Gemini API", connection);
  const agent = repositoryAgent(connection.endpoint, model);
  const chat = agent.session();

  screen.step("Two tools and a web search, all at once");
  const grounded = await askWithSources(chat, screen);

  screen.step("The same as typed output");
  const typed = await askForTypedOutput(agent, await chat.history(), screen);

  screen.step("A process dies in the middle of a tool, and another one resumes");
  const trip = await crashAndResume(connection, model, screen);

  screen.step("What it cost");
  compareCosts({ "the answer": grounded, "typed output": typed, "the trip": trip }, screen);

  screen.step("What to try next");
  screen.commands(
    connection.emulated
      ? {
          'npm start -- "List the files in docs"': "your own question",
          "npm run web": "a chat in the browser",
          "npm run chat": "a chat with these tools",
          "GEMINI_API_KEY=... npm start": "a real model (aistudio.google.com/apikey)",
        }
      : {
          'npm start -- "List the files in docs"': "your own question",
          "npm run web": "a chat in the browser",
          "npm run chat -- --session first": "a chat that is saved",
          "POLLUX_LOG=debug npm start": "every request as it is sent",
        },
  );
}

async function answerQuestion(connection: Connection, model: string, question: string): Promise<boolean> {
  const printer = new RunPrinter();
  printer.note(connection.description);
  const stream = repositoryAgent(connection.endpoint, model).stream(question);
  for await (const event of stream) printer.print(event);
  const result = await stream.result();
  printer.endLine();
  printer.sources(result);
  printer.note(`\n${formatUsage(result.usage)}`);
  if (result.stopReason === "finished") return true;
  printer.line(`The run ended with "${result.stopReason}" after ${result.turns} turns.`);
  return false;
}

const { question, model } = readArguments();
try {
  // Where somebody watches, the emulator takes its time, as a model does.
  const delays = process.stdout.isTTY ? { firstByteMs: 1_800, chunkMs: 220 } : {};
  // The title says who answers.
  await using connection = await connect(process.env, { delays, brain: improvise({ remark: false }) });
  if (question === undefined) await showEverything(connection, model);
  else if (!(await answerQuestion(connection, model, question))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
