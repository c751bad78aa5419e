import { render } from "preact";
import { App } from "./app/app.tsx";
import { Inspector } from "./app/inspector.ts";
import { HttpSource } from "./source/http-source.ts";

import "./styles/base.css";
import "./styles/acting.css";
import "./styles/evals.css";
import "./styles/totals.css";
import "./styles/layout.css";
import "./styles/sessions.css";
import "./styles/timeline.css";
import "./styles/turn.css";
import "./styles/wire.css";
// Last, because it overrides the others.
import "./styles/narrow.css";

const root = document.querySelector("#app");
if (root !== null) render(<App inspector={new Inspector(new HttpSource())} />, root);
