import { testChanged } from "./test-changed.ts";

testChanged(7);
