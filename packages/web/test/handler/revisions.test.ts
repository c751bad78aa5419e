import { MemoryStore, Agent } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import {
  allChunks,
  errorOf,
  openPage,
  type Page,
  pay,
  readChunks,
  readUntil,
  SteppedModel,
  textOf,
  userMessage,
} from "./chat-page.ts";

/** A request of `useChat` that ends with a message of the user. */
function revise(
  page: Page,
  text: string,
  more: { readonly id?: string; readonly trigger?: string; readonly messageId?: string },
) {
  const { id = "m1", trigger = "regenerate-message", messageId } = more;
  return page.ask("POST", "", {
    body: { id: "c1", messages: [userMessage(text, id)], trigger, ...(messageId !== undefined && { messageId }) },
  });
}

/** Ids and texts of what a page loads. */
async function loaded(page: Page): Promise<readonly { readonly id: string; readonly text: string }[]> {
  const response = await page.ask("GET", "/c1");
  const { messages } = (await response.json()) as {
    readonly messages: readonly { readonly id: string; readonly parts: readonly { readonly text?: string }[] }[];
  };
  return messages.map(({ id, parts }) => ({ id, text: parts.map((part) => part.text ?? "").join("") }));
}

const textsOf = async (page: Page): Promise<readonly string[]> => (await loaded(page)).map(({ text }) => text);

async function answerIdOf(page: Page): Promise<string> {
  return (await loaded(page)).at(-1)?.id ?? "";
}

describe("a message that is to be answered anew", () => {
  test("is asked once more in the place of the first time, under ids of the page and of the server", async () => {
    const model = new ScriptedModel(say("A."), say("B."), say("C."), say("D."));
    const page = openPage(model);
    await allChunks(await page.send("Hello.", { id: "m1" }));
    expect(textOf(await allChunks(await revise(page, "Hello.", {})))).toBe("B.");
    expect(textOf(await allChunks(await revise(page, "Hello.", {})))).toBe("C.");
    // A page that was loaded knows the message by another id.
    const [message] = await loaded(page);
    expect(textOf(await allChunks(await revise(page, "Hello.", { id: message?.id ?? "" })))).toBe("D.");
    for (const { contents } of model.requests) expect(contents).toHaveLength(1);
    expect(await textsOf(page)).toEqual(["Hello.", "D."]);
  });

  test("is asked once when its request is sent twice", async () => {
    const model = new ScriptedModel(say("A."), say("B."), say("C."));
    const page = openPage(model);
    await allChunks(await page.send("Hello.", { id: "m1" }));
    const messageId = await answerIdOf(page);
    const both = await Promise.all([revise(page, "Hello.", { messageId }), revise(page, "Hello.", { messageId })]);
    const later = await revise(page, "Hello.", { messageId });
    for (const response of [...both, later]) expect(textOf(await allChunks(response))).toBe("B.");
    expect(model.requests).toHaveLength(2);
    expect(await textsOf(page)).toEqual(["Hello.", "B."]);
  });

  test("is followed when its request comes again while it is being answered, without an id of the answer", async () => {
    const model = new SteppedModel(say("A."), say("B ", "b."));
    const page = openPage(model);
    const first = await page.send("Hello.", { id: "m1" });
    model.say();
    await allChunks(first);
    const again = readChunks(await revise(page, "Hello.", {}));
    model.say();
    await readUntil(again, "B");
    const retried = await revise(page, "Hello.", {});
    model.finish();
    expect(textOf(await allChunks(retried))).toBe("B b.");
    expect(model.requests).toHaveLength(2);
  });

  test("goes with all that followed it", async () => {
    const model = new ScriptedModel(say("A."), say("B."), say("C."));
    const page = openPage(model);
    await allChunks(await page.send("One.", { id: "m1" }));
    const messageId = await answerIdOf(page);
    await allChunks(await page.send("Two.", { id: "m2" }));
    await allChunks(await revise(page, "One.", { messageId }));
    expect(await textsOf(page)).toEqual(["One.", "C."]);
  });

  test("is known when it is sent again like a new one, by each of its ids", async () => {
    const model = new ScriptedModel(say("A."), say("B."));
    const page = openPage(model);
    await allChunks(await page.send("Hello.", { id: "m1" }));
    await allChunks(await revise(page, "Hello.", {}));
    const [message] = await loaded(page);
    for (const id of ["m1", message?.id ?? ""])
      expect(textOf(await allChunks(await page.send("Hello.", { id })))).toBe("B.");
    expect(model.requests).toHaveLength(2);
  });

  test("is simply sent when it has never arrived", async () => {
    const page = openPage(new ScriptedModel(say("A.")));
    expect(textOf(await allChunks(await revise(page, "Hello.", {})))).toBe("A.");
    expect(await textsOf(page)).toEqual(["Hello.", "A."]);
  });

  test("takes calls back that wait", async () => {
    const page = openPage(new ScriptedModel(call("pay", { euros: 7 }), say("No.")));
    await allChunks(await page.send("Pay.", { id: "m1" }));
    expect(textOf(await allChunks(await revise(page, "Pay.", {})))).toBe("No.");
    expect(await (await page.ask("GET", "/c1")).json()).toMatchObject({ state: "idle" });
  });

  test("is refused while another is being answered", async () => {
    const model = new SteppedModel(say("A."), say("B."));
    const page = openPage(model);
    model.say();
    await allChunks(await page.send("One.", { id: "m1" }));
    const messageId = await answerIdOf(page);
    const going = await page.send("Two.", { id: "m2" });
    expect(await errorOf(await revise(page, "One.", { messageId }))).toEqual({ status: 409, code: "running" });
    model.finish();
    await allChunks(going);
    expect(await textsOf(page)).toEqual(["One.", "A.", "Two.", "B."]);
  });

  test("may be one of the application's own, that was not sent through the handler", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(say("A."), say("B."), say("C."));
    const agent = new Agent({ model, tools: [pay] });
    const session = agent.session({ id: "ann/c1", store, owner: "ann" });
    await session.send("Hello.", { runId: "own" });
    const page = openPage(model, { store, agent });
    await allChunks(await revise(page, "Hello.", { id: "own:user" }));
    await allChunks(await revise(page, "Hi.", { id: "own:user", trigger: "submit-message", messageId: "own:user" }));
    expect((await readConversation(session)).messages.map(({ id }) => id)).toHaveLength(2);
    expect(await textsOf(page)).toEqual(["Hi.", "C."]);
  });
});

describe("a message that was edited", () => {
  const edit = (page: Page, text: string, id = "m1"): Promise<Response> =>
    revise(page, text, { id, trigger: "submit-message", messageId: id });

  test("takes the place of what it was before, and of all that followed", async () => {
    const model = new ScriptedModel(say("A."), say("B."), say("C."), say("D."), say("E."));
    const page = openPage(model);
    await allChunks(await page.send("Wether?", { id: "m1" }));
    await allChunks(await page.send("And then?", { id: "m2" }));
    expect(textOf(await allChunks(await edit(page, "Weather?")))).toBe("C.");
    expect(await textsOf(page)).toEqual(["Weather?", "C."]);
    // Back to what it was, and to something else by the id that a loaded page has.
    expect(textOf(await allChunks(await edit(page, "Wether?")))).toBe("D.");
    const [message] = await loaded(page);
    expect(textOf(await allChunks(await edit(page, "Whether?", message?.id)))).toBe("E.");
    for (const { contents } of model.requests.slice(2)) expect(contents).toHaveLength(1);
    expect(await textsOf(page)).toEqual(["Whether?", "E."]);
  });

  test("is asked once when its request is sent twice, or changes nothing", async () => {
    const model = new ScriptedModel(say("A."), say("B."));
    const page = openPage(model);
    await allChunks(await page.send("Wether?", { id: "m1" }));
    expect(textOf(await allChunks(await edit(page, "Wether?")))).toBe("A.");
    for (let time = 0; time < 2; time++) expect(textOf(await allChunks(await edit(page, "Weather?")))).toBe("B.");
    expect(model.requests).toHaveLength(2);
  });

  test("is simply sent when it has never arrived", async () => {
    const page = openPage(new ScriptedModel(say("A.")));
    expect(textOf(await allChunks(await edit(page, "Hello.")))).toBe("A.");
  });

  test("belongs to its own conversation", async () => {
    const page = openPage(new ScriptedModel(say("A."), say("B.")));
    await allChunks(await page.send("Hello.", { id: "m1" }));
    const messages = [userMessage("Other.", "m1")];
    await allChunks(
      await page.ask("POST", "", {
        owner: "bob",
        body: { id: "c1", messages, trigger: "submit-message", messageId: "m1" },
      }),
    );
    expect(await textsOf(page)).toEqual(["Hello.", "A."]);
  });
});
