// The page of the support team: what waits for it, over all conversations.
import { element, report } from "./common.js";

const api = "/api/operator";
const [list, problem] = ["calls", "problem"].map((id) => document.getElementById(id));
let shown = "";

async function request(path, init) {
  const response = await fetch(`${api}${path}`, init);
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let message = text;
  try {
    ({ message } = JSON.parse(text).error);
  } catch {
    // Not one of the handler's own.
  }
  throw new Error(message);
}

async function refresh() {
  const { calls } = await request("");
  // What an operator is writing stays as it is.
  if (JSON.stringify(calls) === shown) return;
  shown = JSON.stringify(calls);
  list.replaceChildren(...(calls.length === 0 ? [element("p", {}, "Nothing waits.")] : calls.map(drawCall)));
}

function drawCall({ session, token, tool, args, editable = [], owner, title, askedAt }) {
  const inputs = Object.entries(args).map(([name, value]) => {
    const input = element("input", { value: String(value), readOnly: !editable.includes(name), name });
    return { name, value, input, label: element("label", {}, `${name} `, input) };
  });
  const answer = (given) => async () => {
    try {
      await request("/answers", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ session, answers: [{ token, ...given() }] }),
      });
      problem.hidden = true;
    } catch (error) {
      report(error);
    }
    await refresh().catch(report);
  };
  const edited = () => {
    const now = inputs.map(({ name, value, input }) => [name, typeof value === "number" ? Number(input.value) : value]);
    const isEdited = inputs.some(({ value, input }) => input.value !== String(value));
    return isEdited ? { args: Object.fromEntries(now) } : { approved: true };
  };
  const about = `${title ?? session} · ${owner ?? "nobody"} · ${new Date(askedAt).toLocaleString()}`;
  return element(
    "article",
    {},
    element("h2", {}, tool),
    element("p", { className: "note" }, about),
    ...inputs.map(({ label }) => element("p", {}, label)),
    element("button", { type: "button", onclick: answer(edited) }, "Approve"),
    element("button", { type: "button", onclick: answer(() => ({ approved: false })) }, "Deny"),
  );
}

setInterval(() => void refresh().catch(report), 2000);
refresh().catch(report);
