// First: it changes how the others load.
import "../../web-chat/src/no-eval.ts";
import { ChatApp } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import "@pollux/react/styles.css";
import { createRoot } from "react-dom/client";

const IDEAS = [
  { title: "Heat pumps", text: "Research how heat pumps work in the cold" },
  { title: "Sleep", text: "Research what is known about naps" },
];

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<ChatApp brand="Research" ideas={IDEAS} markdown={Markdown} />);
