import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, defineTool, type Endpoint, type Session, type Tool } from "@pollux/core";
import { JsonlStore } from "@pollux/core/node";
import { z } from "zod";

/** What a trip needs; both processes of the example create it from the same folder. */
export interface TripOptions {
  /** Where the session and the list of bookings are. */
  readonly folder: string;
  readonly endpoint: Endpoint;
  readonly model: string;
  /** Called when the train is being booked; the tool waits for it. */
  readonly whileBookingTrain?: (() => Promise<void>) | undefined;
}

export const REQUEST = "Book a hotel in Rome, then book a train to Rome.";

/** A session with two tools that must not run twice. Every answer and every outcome is on disk before anything depends on it. */
export function openTrip({ folder, endpoint, model, whileBookingTrain }: TripOptions): Session {
  const agent = new Agent({
    model,
    endpoint,
    instructions: "You book trips. Answer in one plain sentence.",
    tools: [bookingTool("book_hotel", folder), bookingTool("book_train", folder, whileBookingTrain)],
  });
  return agent.session({ id: "trip", store: new JsonlStore(folder) });
}

/** Where each call of a tool leaves a line. */
export function bookingsFile(folder: string): string {
  return join(folder, "bookings.txt");
}

function bookingTool(name: string, folder: string, meanwhile?: () => Promise<void>): Tool {
  return defineTool({
    name,
    description: `Books it: ${name.replace("book_", "a ")}.`,
    input: z.object({ city: z.string() }),
    // After a crash it may run again: the booking service knows the key, and books once.
    effects: "idempotent",
    sequential: true,
    run: async ({ city }, { idempotencyKey }) => {
      await appendFile(bookingsFile(folder), `${name} ${city} ${idempotencyKey}\n`);
      await meanwhile?.();
      return `booked, ${city}`;
    },
  });
}
