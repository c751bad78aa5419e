// First: it changes how the others load.
import "./no-eval.ts";
import { Attachment, ChatApp, type ToolViewProps } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import "@pollux/react/styles.css";
import type { ReactElement } from "react";
import { createRoot } from "react-dom/client";
import type { ChatMessage } from "../server/agent.ts";

const IDEAS = [
  { title: "Compare the weather", text: "What is the weather in Oslo and Lima?" },
  { title: "Search the web", text: "Search the web for the latest news about the Gemini API" },
  { title: "Order something", text: "I want to order 3 pieces of “mechanical keyboard”" },
  { title: "Draw a picture", text: "Draw a picture of “hills at dusk”" },
  { title: "Calculate something", text: "Calculate 17 * 23" },
  { title: "Hear something", text: "Read aloud “Good evening, and welcome”" },
];

type Call = Extract<ChatMessage["parts"][number], { toolCallId: string }>;

/** A picture or a sound that a tool made, below its card. */
function Made({ call }: ToolViewProps<Call>): ReactElement | null {
  if (call.state !== "output-available" || call.preliminary === true) return null;
  // What the two tools return.
  const { image, sound, title } = call.output as { image?: string; sound?: string; title?: string };
  if (image !== undefined) return <Attachment url={image} mediaType="image/*" filename={title} />;
  return sound === undefined ? null : <Attachment url={sound} mediaType="audio/*" filename={title} />;
}

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <ChatApp<ChatMessage>
    brand="Pollux"
    ideas={IDEAS}
    markdown={Markdown}
    tools={{ draw_picture: Made, read_aloud: Made }}
    usage={{}}
  />,
);
