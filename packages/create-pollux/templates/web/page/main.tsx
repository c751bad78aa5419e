// First: it changes how the others load.
import "./no-eval.ts";
import { type CallOf, ChatApp, type ToolViewProps } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import "@pollux/react/styles.css";
import { createRoot } from "react-dom/client";
import type { ChatMessage } from "../server/agent.ts";

const IDEAS = [
  { title: "Roll dice", text: "Roll 3 dice." },
  { title: "Book a table", text: "Book a table for 4 people at “Luigi’s”." },
  { title: "Search the web", text: "Search the web for the news of today." },
];

/** What the page shows below a call of `roll_dice`. */
function Dice({ call }: ToolViewProps<CallOf<ChatMessage, "roll_dice">>) {
  if (call.state !== "output-available") return null;
  return <p style={{ padding: "0 14px 12px", fontSize: 24 }}>{call.output.rolls.join(" · ")}</p>;
}

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <ChatApp<ChatMessage> brand="my-agent" ideas={IDEAS} markdown={Markdown} tools={{ roll_dice: Dice }} usage={{}} />,
);
