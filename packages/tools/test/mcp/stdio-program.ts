import { serveMcp } from "../../src/mcp-server.ts";
import { servedTools } from "./served-tools.ts";

await serveMcp(servedTools(process.argv[2] ?? "/dev/null"), { transport: "stdio", name: "shown", version: "1.2.3" });
