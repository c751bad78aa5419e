import { testChanged } from "./test-changed.ts";

// Of few recordings; of many: `metamorphic.system.test.ts`.
testChanged(150);
