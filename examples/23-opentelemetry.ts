// Traces: an agent that calls a tool and another agent in parallel, a request that is retried, and a run that continues after an approval.
// They go where OTEL_EXPORTER_OTLP_ENDPOINT says; without it, to a receiver that prints them.
import { setTimeout } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { connect } from "@pollux/cli";
import { Agent, approve, defineTool, googleSearch, MemoryStore } from "@pollux/core";
import { observeAllRuns } from "@pollux/core/observers";
import { faults } from "@pollux/emulator";
import { openTelemetry } from "@pollux/otel";
import { z } from "zod";
import { startReceiver } from "./opentelemetry/receiver.ts";

await using receiver = await startReceiver(0, (tree) => console.log(`\n${tree}`));
process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ??= receiver.url;
const sdk = new NodeSDK({ serviceName: "trip-planner" });
sdk.start();
observeAllRuns(openTelemetry());

// The emulator takes a moment to answer, and is overloaded when the second request comes.
const delays = { firstByteMs: 200 };
await using connection = await connect(process.env, { delays, faults: [{ at: 2, fault: faults.overloaded() }] });
const common = {
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  prices: { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 },
};

const researcher = new Agent({
  ...common,
  name: "researcher",
  instructions: "Find out what you are asked with Google Search. Answer in one or two sentences.",
  tools: [googleSearch()],
});
const getExchangeRate = defineTool({
  name: "get_exchange_rate",
  description: "Gets the exchange rate between two currencies.",
  input: z.object({ from: z.string(), to: z.string() }),
  // The program's own span: a child of the call's span.
  run: ({ from, to }) =>
    trace.getTracer("trip-planner").startActiveSpan("look up rate", async (span) => {
      await setTimeout(40);
      span.end();
      return { from, to, rate: 1.08 };
    }),
});
const bookTickets = defineTool({
  name: "book_tickets",
  description: "Books tickets.",
  input: z.object({ count: z.number().int() }),
  needsApproval: true,
  run: ({ count }) => `Booked ${count} tickets.`,
});
const planner = new Agent({
  ...common,
  name: "planner",
  instructions: "Let the researcher find facts. Quote prices in euros and in dollars.",
  tools: [researcher.asTool({ description: "Researches prices on the web." }), getExchangeRate, bookTickets],
});

const session = planner.session({ id: "paris", store: new MemoryStore() });
const asked = await session.send(
  "Ask the researcher what a ticket for the Eiffel Tower costs, get the exchange rate from EUR to USD, and book 4 tickets.",
);
console.log(asked.stopReason);
const { pending } = await session.state();
const done = await session.resume({ approvals: approve(pending) });
console.log(done.stopReason);

// Sends what is still in memory. It rejects if nothing receives it.
await sdk.shutdown().catch(console.error);
