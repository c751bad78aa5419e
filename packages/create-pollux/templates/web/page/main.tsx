import "./no-eval.ts";
import { type CallOf, ChatApp, type ToolViewProps } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import "@pollux/react/styles.css";
import { createRoot } from "react-dom/client";
import type { ChatMessage } from "../server/agent.ts";
/* if operator */
import { Operators } from "./operators.tsx";
/* end */

const IDEAS = [
  { title: "Roll dice", text: "Roll 3 dice." },
  { title: "Book a table", text: "Book a table for 4 people at “Luigi’s”." },
  /* if operator */
  { title: "Get money back", text: "Refund 40 euros for the order “A-17”." },
  /* end */
  { title: "Search the web", text: "Search the web for the news of today." },
];

/** What the page shows below a call of `roll_dice`. */
function Dice({ call }: ToolViewProps<CallOf<ChatMessage, "roll_dice">>) {
  if (call.state !== "output-available") return null;
  return <p style={{ fontSize: 24 }}>{call.output.rolls.join(" · ")}</p>;
}

function Page() {
  /* if operator */
  if (location.pathname === "/operator") return <Operators />;
  /* end */
  return (
    <ChatApp<ChatMessage> brand="my-agent" ideas={IDEAS} markdown={Markdown} tools={{ roll_dice: Dice }} usage={{}} />
  );
}

createRoot(document.querySelector("#root") ?? document.body).render(<Page />);
