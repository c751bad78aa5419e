import { defineTool } from "@pollux/core";
import { z } from "zod";

/** The call reaches someone else, so the person in the chat approves each one, and may change its arguments. */
export const bookTable = defineTool({
  name: "book_table",
  description: "Books a table in a restaurant.",
  input: z.object({
    restaurant: z.string().describe("Name of the restaurant"),
    people: z.int().min(1).max(12),
  }),
  needsApproval: true,
  approvedBy: "user",
  editable: ["people"],
  effects: "once",
  reads: "trusted",
  run: ({ restaurant, people }) => `A table for ${people} is booked at ${restaurant}.`,
});
