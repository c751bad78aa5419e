import { testChanged } from "./test-changed.ts";

// With few recordings; `metamorphic.system.test.ts` uses many.
testChanged(150);
