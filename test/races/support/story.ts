import type { Approval, ExternalOutcome, PendingCall } from "@pollux/core";
import { REFUSALS } from "../../faults/support/rivals/settled-session.ts";
import type { Deed, DeedError, News } from "./racer.ts";

/** The end of a deed: `unknown` if its process was killed, or if it failed after a possible write. */
export type Ending = "accepted" | "refused" | "unknown";

/** An answer to a question. */
export interface GivenAnswer {
  readonly deed: string;
  readonly shown: PendingCall;
  readonly value: Approval | ExternalOutcome;
  readonly ending: Ending;
}

/** All deeds on a session in a round, as their actors know them. */
export class Story {
  readonly #deeds: Map<string, { readonly begins: Deed; ended?: DeedError | "done" }> = new Map();

  readonly hear = (news: News): void => {
    if ("begins" in news) this.#deeds.set(news.deed, { begins: news.begins });
    else {
      const found = this.#deeds.get(news.deed);
      if (found !== undefined) found.ended = news.ended;
    }
  };

  answers(): readonly GivenAnswer[] {
    return [...this.#deeds].flatMap(([deed, { begins, ended }]) =>
      begins.is === "answer" ? [{ deed, shown: begins.shown, value: begins.value, ending: endingOf(ended) }] : [],
    );
  }

  /** Messages by text; one may have been sent several times. */
  messages(): ReadonlyMap<string, readonly Ending[]> {
    const found = new Map<string, Ending[]>();
    for (const { begins, ended } of this.#deeds.values()) {
      if (begins.is !== "message") continue;
      found.set(begins.text, [...(found.get(begins.text) ?? []), endingOf(ended)]);
    }
    return found;
  }

  /** Errors without a code, which nobody can handle. */
  untyped(): readonly string[] {
    return [...this.#deeds].flatMap(([deed, { begins, ended }]) =>
      typeof ended === "object" && ended.code === undefined && ended.name !== "AbortError"
        ? [`untyped: #${deed} (${begins.is}) ended with ${ended.name}: ${ended.message}`]
        : [],
    );
  }

  /** One line per deed. */
  toString(): string {
    return [...this.#deeds]
      .map(([deed, { begins, ended = "never ended" }]) => {
        const what =
          begins.is === "message"
            ? begins.text
            : begins.is === "answer"
              ? `${JSON.stringify(begins.value)} for ${begins.shown.callId} ${JSON.stringify(begins.shown.call)}`
              : begins.act;
        return `  #${deed} ${what}: ${typeof ended === "string" ? ended : `${ended.code ?? ended.name}: ${ended.message}`}`;
      })
      .join("\n");
  }
}

function endingOf(ended: DeedError | "done" | undefined): Ending {
  if (ended === "done") return "accepted";
  return ended !== undefined && (REFUSALS.has(ended.code) || ended.code === "invalid_approval") ? "refused" : "unknown";
}
