import type { AiSdkVersion } from "@pollux/web/ai-sdk";
import type { Content } from "@pollux/core";
import type { Conversation } from "@pollux/core/conversation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chromium, openChromium } from "../runtimes/support/chromium.ts";
import { describePart, type PageMessage } from "./page/describe-part.ts";
import { ChatSite } from "./support/chat-site.ts";
import { ChatTab } from "./support/chat-tab.ts";
import { words } from "./support/paced-model.ts";

const SEED = Number(process.env["POLLUX_SEED"] ?? 19);
/** 200 in total. */
const CUTS: readonly (readonly [AiSdkVersion, number])[] = [
  [5, 67],
  [6, 67],
  [7, 66],
];
/** Events: a cut connection, a lost request, a reload of the page, a killed server. */
const KINDS = ["network", "request", "page", "server"] as const;
/** Says half of its words, waits for a draft of them, and says the rest: twice. */
const ASKED = "mix 25 at 4 keeping 12,37";
const ANSWER = [
  "Thought: Well. ",
  words(0, 25).join(""),
  'tool-work output-available {"done":1}',
  'tool-work output-available {"done":2}',
  words(25, 25).join(""),
];

let browser: Chromium;
beforeAll(async () => {
  browser = await openChromium();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

test.concurrent.each(CUTS)(
  `nothing is lost or doubled in useChat of version %d over %d random cuts (seed ${SEED})`,
  async (version, cuts) => {
    await using site = await ChatSite.open([version]);
    const tab = await ChatTab.open(browser);
    const random = randomOf(SEED + version);
    const happened = new Map<string, number>();
    let done = 0;
    /** Servers that were killed with a draft in the store. */
    let drafts = 0;
    for (let n = 0; ; n++) {
      if (done >= cuts) break;
      const chat = `chat-${n}`;
      const session = `v${version}/${chat}`;
      const faults: Promise<unknown>[] = [];
      const plan = Array.from({ length: 2 + random(4) }, () => ({
        kind: KINDS[random(KINDS.length)] ?? "network",
        bytes: random(2000),
      }));
      /** Sets the next trap after the previous one has sprung. */
      const arm = (): void => {
        const next = plan.shift();
        if (next === undefined || done >= cuts) return;
        const { kind, bytes } = next;
        site.trap(chat, kind === "request" ? -1 : bytes, () => {
          done++;
          happened.set(kind, (happened.get(kind) ?? 0) + 1);
          faults.push(strike(kind, chat, session).then(arm));
        });
      };
      const strike = async (kind: (typeof KINDS)[number], cutChat: string, of: string): Promise<void> => {
        if (kind === "network") site.cut(cutChat);
        if (kind === "page") await tab.reload();
        if (kind !== "server") return;
        await site.kill();
        // Nothing is lost or doubled.
        const said = numbersIn(wordsOf(await site.conversation(of)));
        expect(said).toEqual(Array.from(said, (_, index) => index));
        expect(said.length).toBeGreaterThan(site.lastWritten(of));
        if (said.length % 25 > 0) drafts++;
        await site.restart();
      };

      await tab.show(site, version, chat);
      arm();
      for (let isOver = false; !isOver;) {
        const before = faults.length;
        await Promise.all(faults);
        await tab.isQuiet();
        if (faults.length > before) continue;
        // A reloaded page forgets unsent messages.
        if ((await tab.messages()).length === 0) await tab.say(ASKED);
        else isOver = true;
        if (!isOver) await tab.sees(ASKED);
      }
      site.disarm(chat);

      const label = `conversation ${n} of version ${version}, seed ${SEED}`;
      expect(await tab.messages(), label).toEqual([[ASKED], ANSWER]);
      const response = await fetch(`${site.url}/${version}/api/chat/${chat}`);
      const { messages } = (await response.json()) as { readonly messages: readonly PageMessage[] };
      expect(
        messages.map(({ parts }) => parts.map(describePart).filter((text) => text !== "")),
        label,
      ).toEqual([[ASKED], ANSWER]);
      expect(inLog(await site.history(session)), label).toEqual({
        words: Array.from({ length: 50 }, (_, index) => index),
        calls: 2,
        responses: 2,
        messages: 1,
      });
    }
    expect([...happened.keys()].toSorted()).toEqual([...KINDS].toSorted());
    expect(drafts).toBeGreaterThan(0);
    expect(tab.errors).toEqual([]);
  },
  900_000,
);

/** The contents of the log. */
function inLog(contents: readonly Content[]): object {
  const parts = contents.flatMap((content) => content.parts.map((part) => ({ role: content.role, ...part })));
  const said = parts.filter(({ role, thought }) => role === "model" && thought !== true).map(({ text = "" }) => text);
  return {
    words: numbersIn(said.join("")),
    calls: parts.filter(({ functionCall }) => functionCall !== undefined).length,
    responses: parts.filter(({ functionResponse }) => functionResponse !== undefined).length,
    messages: parts.filter(({ role, text }) => role === "user" && text !== undefined).length,
  };
}

function wordsOf({ messages }: Conversation): string {
  return messages
    .filter(({ role }) => role === "model")
    .flatMap(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : "")))
    .join("");
}

function numbersIn(text: string): readonly number[] {
  return Array.from(text.matchAll(/w(\d+) /g), ([, number]) => Number(number));
}

/** Numbers below a limit, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
