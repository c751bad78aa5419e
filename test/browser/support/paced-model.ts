import { setTimeout as sleep } from "node:timers/promises";
import type { Model } from "@pollux/core";
import type { ModelRequest } from "@pollux/core/model";
import {
  call,
  calls,
  dies,
  fails,
  grounded,
  join,
  parts,
  say,
  ScriptedModel,
  type ScriptedTurn,
  think,
} from "@pollux/core/testing";

/**
 * A model that does what the last message asks for, so that a restarted server does the same: `count 20 at 5` with 5 ms
 * before each word, `count 20 keeping 7,14` with a wait after these words until a draft has them.
 */
export class PacedModel extends ScriptedModel {
  /** Answers that have broken off before. */
  readonly #broken = new Set<string>();
  readonly #isKept: (text: string, signal: AbortSignal | undefined) => Promise<void>;
  /** Answers in progress. */
  going = 0;

  /** @param isKept - Resolves once the store has a draft with a text. */
  constructor(isKept: (text: string, signal: AbortSignal | undefined) => Promise<void>) {
    super(
      ...Array.from({ length: 10_000 }, () => (request: ModelRequest) => {
        const { text } = lastAsked(request);
        if (!text.startsWith("again ") || this.#broken.has(text)) return turnFor(request);
        this.#broken.add(text);
        return join(say("It was "), dies());
      }),
    );
    this.#isKept = isKept;
  }

  override async respond(...[request, options]: Parameters<Model["respond"]>): ReturnType<Model["respond"]> {
    const { text: asked } = lastAsked(request);
    const [, pace = "0"] = / at (\d+)/.exec(asked) ?? [];
    const [, keeping = ""] = / keeping ([\d,]+)/.exec(asked) ?? [];
    const isWaitedFor = new Set(keeping.split(",").map((number) => `w${number} `));
    const onParts: typeof options.onParts = async (batch) => {
      if (pace !== "0") await sleep(Number(pace), undefined, { signal: options.signal });
      await options.onParts?.(batch);
      for (const { text = "" } of batch) if (isWaitedFor.has(text)) await this.#isKept(text, options.signal);
    };
    this.going++;
    try {
      return await super.respond(request, { ...options, onParts });
    } finally {
      this.going--;
    }
  }
}

function turnFor(request: ModelRequest): ScriptedTurn {
  const { text, turns } = lastAsked(request);
  const [task = "", many = "10"] = text.split(" ");
  const count = Number(many);
  switch (task) {
    case "count":
      return say(...words(0, count));
    case "mix": {
      // Words, two calls at once, words again.
      const said = say(...words(turns * count, count));
      return turns === 0 ? join(think("Well. "), said, calls(work(1), work(2))) : said;
    }
    case "think":
      return join(think("Hm. "), say("It ", "is so."));
    case "tools":
      return turns === 0 ? join(say("Both. "), calls(work(1), work(2))) : say("Done.");
    case "slow":
    case "fail":
    case "where":
      return turns === 0 ? call(task) : say("Done.");
    case "pay":
      return turns === 0 ? calls(...Array.from({ length: count }, (_, n) => pay(n))) : say("Settled.");
    case "search": {
      const sources = [{ uri: "https://a.example/", supports: ["It rains"] }, { uri: "https://b.example/" }];
      return grounded("It rains in Oslo.", { sources, queries: ["weather in Oslo"] });
    }
    case "draw":
      return join(say("Here: "), parts({ inlineData: { mimeType: "image/png", data: "aGk=" } }));
    case "again":
      return say("It is so.");
    case "refuse":
      return fails(new Error("the service is away"));
    case "break":
      return join(say("It ", "was "), dies());
    default:
      return say(`You said: ${text}`);
  }
}

function work(n: number): { readonly name: string; readonly args: { readonly n: number } } {
  return { name: "work", args: { n } };
}

function pay(n: number): { readonly name: string; readonly args: { readonly n: number } } {
  return { name: "pay", args: { n } };
}

/** Numbered words, so that lost or doubled ones are visible. */
export function words(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `w${from + index} `);
}

/** The last message, and how many turns the model has had since. */
function lastAsked({ contents }: ModelRequest): { readonly text: string; readonly turns: number } {
  const at = contents.findLastIndex(({ role, parts: given }) => role === "user" && given.some(({ text }) => text));
  const text = contents[at]?.parts?.map((part) => part.text ?? "").join("") ?? "";
  return { text, turns: contents.slice(at + 1).filter(({ role }) => role === "model").length };
}
