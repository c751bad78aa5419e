// Run by `npx pnpm support`: a support bot with two pages.
import { randomUUID } from "node:crypto";
import { connect } from "@pollux/cli";
import { startSupportBot } from "./support-bot.ts";

const connection = await connect();
const operatorKey = randomUUID();
const bot = await startSupportBot({
  endpoint: connection.endpoint,
  model: process.env["POLLUX_MODEL"] ?? "gemini-flash-latest",
  port: Number(process.env["PORT"] ?? 5180),
  operatorKey,
});
console.log(`${connection.description}
Customers: ${bot.url} (say: Refund 20 euros for order A17)
Support:   ${bot.url}/operator?key=${operatorKey}
Press Ctrl-C to stop.`);
await bot.drainOnSignal();
await connection[Symbol.asyncDispose]();
