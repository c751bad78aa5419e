// First: it changes how the others load.
import "./no-eval.ts";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { applyTheme, readTheme } from "./theme.ts";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/message.css";
import "./styles/composer.css";

applyTheme(readTheme());
const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
