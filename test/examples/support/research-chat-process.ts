// The server of the research chat: `research-chat-process.ts ENDPOINT DATA PAGE`. Prints its address.
import { endpoint } from "@pollux/core/wire";
import { startResearchChat } from "../../../examples/research-chat/server/research-chat.ts";

const [, , baseUrl = "", data = "", page = ""] = process.argv;
const chat = await startResearchChat({
  endpoint: endpoint({ baseUrl }),
  model: "gemini-flash-latest",
  data,
  page,
  port: 0,
  checkEveryMs: 100,
});
process.stdout.write(`${chat.url}\n`);
