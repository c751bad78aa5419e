import { MemoryStore } from "@pollux/core";
import { endpoint } from "@pollux/core/wire";
import { createEmulator, type RunningServer } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SupportBot, startSupportBot } from "../../examples/support-bot/support-bot.ts";

let emulator: RunningServer;
let bot: SupportBot;
const store = new MemoryStore();
beforeAll(async () => {
  emulator = await createEmulator({ brain: improvise() }).listen();
  bot = await startSupportBot({
    endpoint: endpoint({ baseUrl: emulator.url }),
    model: "gemini-flash-latest",
    port: 0,
    operatorKey: "secret",
    store,
  });
});
afterAll(async () => {
  await bot[Symbol.asyncDispose]();
  await emulator.close();
});

interface Chat {
  readonly state: string;
  readonly messages: readonly {
    readonly parts: readonly { readonly type: string; readonly state?: string; readonly output?: unknown }[];
    readonly metadata: { readonly queued?: true; readonly pending?: readonly object[] };
  }[];
}

/** The request of a browser with a cookie. */
async function ask(cookie: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${bot.url}${path}`, {
    ...(body && { method: "POST", body: JSON.stringify(body) }),
    headers: { cookie, ...(body && { "content-type": "application/json" }) },
  });
}

const say = async (cookie: string, id: string, text: string): Promise<string> =>
  await (
    await ask(cookie, "/api/chat", { id: "c", message: { id, role: "user", parts: [{ type: "text", text }] } })
  ).text();
const load = async (cookie: string): Promise<Chat> => (await (await ask(cookie, "/api/chat/c")).json()) as Chat;

test.each([
  ["/", "customer=me", "text/html", "/customer.js"],
  ["/customer.js", "", "text/javascript", "Withdraw"],
  ["/operator", "", "text/html", "/operator.js"],
  ["/operator.js", "", "text/javascript", "Approve"],
])("%s is served", async (path, cookie, type, text) => {
  const page = await ask(cookie, path);
  expect(page.headers.get("content-type")).toContain(type);
  expect(await page.text()).toContain(text);
});

test("a customer asks for a refund, and can do nothing but withdraw it", async () => {
  const cookie = "customer=cheat";
  await say(cookie, "m1", "Refund 20 euros for order A17.");
  const { state, messages } = await load(cookie);
  expect(state).toBe("waiting");
  const [question] = messages.at(-1)?.metadata.pending ?? [];
  expect(question).toMatchObject({ question: "approval", approvedBy: "support", editable: ["euros"] });
  for (const given of [{ approved: true }, { args: { order: "A17", euros: 400 } }])
    expect((await ask(cookie, "/api/chat", { id: "c", answers: [{ ...question, ...given }] })).status).toBe(403);
  expect((await ask(cookie, "/api/operator")).status).toBe(401);
  expect((await ask("operator=guess", "/api/operator")).status).toBe(401);
  await (await ask(cookie, "/api/chat", { id: "c", answers: [{ ...question, withdrawn: true }] })).text();
  expect((await load(cookie)).messages.at(-1)?.parts.find(({ type }) => type === "tool-refund")?.state).toBe(
    "output-error",
  );
});

test("an operator approves less than was asked for; what the customer says meanwhile is kept", async () => {
  const [customer, operator] = ["customer=ann", "operator=secret"];
  await say(customer, "m1", "Refund 20 euros for order A17.");
  await say(customer, "m2", "Please hurry.");
  expect((await load(customer)).messages.at(-1)?.metadata).toMatchObject({ queued: true, waitsFor: ["support"] });
  const followed = ask(customer, "/api/chat/c/stream?waiting");

  const { calls } = (await (await ask(operator, "/api/operator")).json()) as {
    calls: { session: string; token: string }[];
  };
  expect(calls).toMatchObject([
    { owner: "ann", tool: "refund", args: { order: "A17", euros: 20 }, approvedBy: "support" },
  ]);
  const [{ session, token } = { session: "", token: "" }] = calls;
  const answers = [{ token, args: { order: "A17", euros: 15 } }];
  expect((await ask(operator, "/api/operator/answers", { session, answers })).status).toBe(200);

  await (await followed).text();
  const { state, messages } = await load(customer);
  expect(state).toBe("idle");
  expect(JSON.stringify(messages)).toContain("15 euros refunded for A17");
  expect(JSON.stringify(messages)).toContain("Please hurry.");
  expect((await ask(operator, "/api/operator/answers", { session, answers })).status).toBe(409);
});

test("an address with the key makes an operator of a browser", async () => {
  const response = await fetch(`${bot.url}/operator?key=secret`, { redirect: "manual" });
  expect(response.status).toBe(303);
  expect(response.headers.get("set-cookie")).toMatch(/^operator=secret; .*HttpOnly; SameSite=Strict/);
});

test("what the bot's own tools return is no reason to hold the next call", async () => {
  const [customer, operator] = ["customer=bob", "operator=secret"];
  const list = async (): Promise<readonly { session: string; token: string; because?: object }[]> => {
    const { calls } = (await (await ask(operator, "/api/operator?owner=bob")).json()) as never;
    return calls;
  };
  await say(customer, "m1", "Refund 20 euros for order A17.");
  const [{ session, token } = { session: "", token: "" }] = await list();
  await ask(operator, "/api/operator/answers", { session, answers: [{ token, approved: true }] });
  await expect.poll(async () => (await load(customer)).state).toBe("idle");
  await say(customer, "m2", "Refund 5 euros for order A18.");
  const [second] = await list();

  expect(second).toMatchObject({ tool: "refund", args: { order: "A18", euros: 5 } });
  expect(second).not.toHaveProperty("because");
});
