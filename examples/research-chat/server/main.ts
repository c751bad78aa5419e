// Run by `npx pnpm research`: builds the page, and serves it with an agent that researches.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@pollux/cli";
import { buildPage } from "../../web-chat/server/build-page.ts";
import { emulation } from "../../web-chat/server/emulation.ts";
import { startResearchChat } from "./research-chat.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
const page = join(folder, "dist");
const [connection] = await Promise.all([
  connect(process.env, { ...emulation(), interactions: { polls: 8 } }),
  buildPage(page, folder),
]);
const chat = await startResearchChat({
  endpoint: connection.endpoint,
  model: process.env["POLLUX_MODEL"] ?? "gemini-flash-latest",
  data: join(folder, "data"),
  page,
  port: Number(process.env["PORT"] ?? 5190),
  // A person who tries it out watches; the emulator's research takes ten seconds.
  checkEveryMs: connection.emulated ? 1_000 : 15_000,
});
console.log(`${connection.description}\nThe chat is at ${chat.url}. Press Ctrl-C to stop; research continues.`);
await chat.untilStopped();
await connection[Symbol.asyncDispose]();
