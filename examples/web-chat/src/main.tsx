import { createRoot } from "react-dom/client";
import { config } from "zod";
import { App } from "./app.tsx";
import { applyTheme, readTheme } from "./theme.ts";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/message.css";
import "./styles/composer.css";

// The page's policy forbids the code that zod would otherwise make up.
config({ jitless: true });
applyTheme(readTheme());
const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
