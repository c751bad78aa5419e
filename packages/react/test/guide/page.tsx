import { type CallOf, ChatApp, type ToolViewProps } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import "@pollux/react/styles.css";
import { createRoot } from "react-dom/client";
import type { ChatMessage } from "./agent.ts";

const IDEAS = [{ title: "Ask for the weather", text: "What is the weather in Oslo?" }];

/** Below the card of a call of `get_weather`. */
function Weather({ call }: ToolViewProps<CallOf<ChatMessage, "get_weather">>) {
  return call.state === "output-available" ? <p>{call.output.celsius} °C</p> : null;
}

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <ChatApp<ChatMessage> brand="My agent" ideas={IDEAS} markdown={Markdown} tools={{ get_weather: Weather }} />,
);
