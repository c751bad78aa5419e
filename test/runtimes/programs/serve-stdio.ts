/** A program: serves a tool to MCP clients over stdio. */
import { serveMcp } from "@pollux/tools/mcp-server";
import { double } from "./double.ts";

await serveMcp([double], { transport: "stdio", name: "double", version: "1.0.0" });
