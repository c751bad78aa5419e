// stores
export { type StoreCheck, storeConformance, type StoreToCheck } from "./store-conformance.ts";

// steps of an engine
export { type StepsCheck, stepsConformance } from "./steps-conformance.ts";
export type { StepsAbilities, StepsHarness, StepsProgram, StepsWorld } from "./steps-harness.ts";
