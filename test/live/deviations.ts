import type { Question } from "./question.ts";
import { createAsk, type Send, type ServiceName } from "./service.ts";
import { emulated, type Target } from "./targets.ts";

const noWait = async (): Promise<void> => {};
const TAKEN = {
  candidates: [{ content: { role: "model", parts: [{ text: "ok" }] }, finishReason: "STOP" }],
  models: [{ name: "models/gemini-9-new", supportedGenerationMethods: ["generateContent"] }],
};
const REFUSED = {
  error: { code: 400, message: "Nothing the emulator would say.", status: "INVALID_ARGUMENT", details: [] },
};

/** A service whose last answer to a question, the deciding one, gives another reading than today. */
export async function contrary(question: Question, service: ServiceName): Promise<Target> {
  const plain = emulated(service);
  let requests = 0;
  const counting: Send = (url, init) => ((requests += 1), plain.send(url, init));
  const today = await question.ask(createAsk(plain.endpoint, counting, noWait));
  for (const body of [TAKEN, REFUSED]) {
    const made = (): Target => {
      let left = requests;
      const other = emulated(service);
      const answer = (): Response => Response.json(body, { status: body === REFUSED ? 400 : 200 });
      return { ...other, send: async (url, init) => ((left -= 1), left === 0 ? answer() : other.send(url, init)) };
    };
    const tried = made();
    const { is } = await question.ask(createAsk(tried.endpoint, tried.send, noWait));
    if (is !== today.is) return made();
  }
  throw new Error(`nothing makes ${question.id} read otherwise than ${today.is}`);
}
