// What every program with a tool has already: the base line of imports and bundles.
import { z } from "zod";

export function declaration() {
  return z.toJSONSchema(z.object({ city: z.string() }));
}
