// What every program with a tool already imports: the baseline for imports and bundles.
import { z } from "zod";

export function declaration() {
  return z.toJSONSchema(z.object({ city: z.string() }));
}
