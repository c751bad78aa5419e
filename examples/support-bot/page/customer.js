// The page of a customer. The server's conversation is the truth: the page shows it as it is, and follows it while it
// continues.
import { element, report } from "./common.js";

const api = "/api/chat";
const [list, form, field, problem] = ["messages", "form", "text", "problem"].map((id) => document.getElementById(id));
let chat = localStorage.getItem("chat") ?? begin();
/** Ends following what was shown before. */
let following = new AbortController();

function begin() {
  const id = crypto.randomUUID();
  localStorage.setItem("chat", id);
  return id;
}

async function request(method, path, body) {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error?.message ?? `The server answers ${response.status}.`), {
    status: response.status,
  });
}

/** Shows what the server has; then what comes, until nothing does. */
async function show() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  try {
    for (;;) {
      const stored = await load();
      if (signal.aborted) return;
      draw(stored.messages);
      const waits = stored.state === "waiting" && others(stored.messages).length > 0;
      if (stored.state !== "running" && stored.state !== "cut-off" && !waits) return;
      const response = await fetch(`${api}/${chat}/stream?waiting`, { signal });
      const reader = response.body?.getReader();
      // Whatever comes, the conversation has it already.
      for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read())
        draw((await load()).messages);
    }
  } catch (error) {
    if (signal.aborted) return;
    report(error);
    setTimeout(() => void show(), 2000);
  }
}

async function load() {
  const response = await request("GET", `/${chat}`).catch((error) => {
    if (error.status === 404) return undefined;
    throw error;
  });
  return response === undefined ? { state: "idle", messages: [] } : await response.json();
}

/** Calls that wait for somebody other than the customer. */
function others(messages) {
  return messages.flatMap(({ metadata }) => metadata?.pending ?? []).filter(({ approvedBy }) => approvedBy !== "user");
}

function draw(messages) {
  list.replaceChildren(...messages.map(drawMessage));
  list.lastElementChild?.scrollIntoView();
}

function drawMessage({ role, metadata = {}, parts }) {
  const article = element("article", { className: role });
  for (const part of parts) {
    if (part.type === "text") article.append(element("p", {}, part.text));
    else if (part.type === "data-steering")
      for (const { text } of part.data.parts) article.append(element("p", { className: "note" }, `You: ${text}`));
    else if (part.type.startsWith("tool-")) article.append(...drawCall(part, metadata.pending ?? []));
  }
  if (metadata.queued) {
    const { waitsFor } = metadata;
    const when = waitsFor ? `read when ${waitsFor.join(", ") || "somebody"} has answered` : "read in a moment";
    article.append(element("p", { className: "note" }, when));
  }
  return article;
}

const STATES = {
  "output-available": "done",
  "output-error": "not done",
  "output-denied": "refused",
  "input-available": "…",
};

function drawCall({ type, toolCallId, state, input, approval, output }, pending) {
  const name = type.slice("tool-".length).replaceAll("_", " ");
  const question = pending.find((one) => one.toolCallId === toolCallId);
  const args = Object.entries(input ?? {}).map((one) => one.join(" "));
  const line = element("p", { className: "note" }, `${name} (${args.join(", ")}): `);
  if (question === undefined) line.append(STATES[state] ?? "…", output === undefined ? "" : ` (${output})`);
  else if (approval === undefined) line.append(`waits for ${question.approvedBy ?? "somebody"}`);
  const answer = (label, given) => button(label, { answers: [{ ...question, ...given }] });
  if (question === undefined) return [line];
  if (approval !== undefined) return [line, answer("Yes", { approved: true }), answer("No", { approved: false })];
  return [line, answer("Withdraw", { withdrawn: true })];
}

function button(label, body) {
  return element("button", { type: "button", onclick: () => void send(body) }, label);
}

/** Sends a message or an answer. The run continues whether or not someone reads the response. */
async function send(body) {
  problem.hidden = true;
  following.abort();
  try {
    const response = await request("POST", "", { id: chat, ...body });
    await response.body?.cancel();
  } catch (error) {
    report(error);
  }
  await show();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: field.value }] };
  field.value = "";
  void send({ message });
});
document.getElementById("new").addEventListener("click", () => {
  chat = begin();
  void show();
});
void show();
