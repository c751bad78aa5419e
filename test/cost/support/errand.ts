import { type AnyTool, defineTool } from "@pollux/core";
import { type Brain, call, say } from "@pollux/emulator";
import { z } from "zod";
import { byStep } from "../../support/trip.ts";

const PAGE = "The keeper wrote down each ship that passed, its flag and where it was bound. ";

/** A page of about `tokens` tokens, different for each number. */
export function page(number: number, tokens = 300): string {
  return `Page ${number}. ${PAGE.repeat(Math.ceil((tokens * 4) / PAGE.length))}`.slice(0, tokens * 4);
}

/** Instructions long enough for the service to cache them alone. */
export const INSTRUCTIONS = `You read the log of a lighthouse. ${page(0, 5_000)}`;

/** Reads a page of the log. */
export const readPage = defineTool({
  name: "read_page",
  description: 'Reads a page of the "log".',
  input: z.object({ page: z.number() }),
  run: ({ page: number }) => page(number),
});

/** Options of the errand's agents. */
export const LOG_TOOLS: readonly AnyTool[] = [readPage];

/** Reads a number of pages, one per turn, then answers: one request more than pages. */
export function reading(pages: number, answer = "Forty ships."): Brain {
  return byStep(...Array.from({ length: pages }, (_, index) => () => call("read_page", { page: index + 1 })), () =>
    say(answer),
  );
}
