// The server of the web chat: `web-chat-process.ts ENDPOINT DATA PAGE`. Prints its address.
import { endpoint } from "@pollux/core/wire";
import { startWebChat } from "../../../examples/web-chat/server/web-chat.ts";

const [, , baseUrl = "", data = "", page = ""] = process.argv;
const chat = await startWebChat({ endpoint: endpoint({ baseUrl }), model: "gemini-flash-latest", data, page, port: 0 });
process.stdout.write(`${chat.url}\n`);
