export { assertObservations } from "./observations.ts";
export { assertGrammar, collect, type ReadableRun, shapeOf } from "./events.ts";
export { type RanTool, runTool, type RunToolOptions } from "./run-tool.ts";
export { type ScriptLine, ScriptedModel, type ScriptedModelOptions } from "./scripted-model.ts";
export {
  blocked,
  call,
  type CallFields,
  calls,
  costs,
  cut,
  dies,
  empty,
  fails,
  finishes,
  grounded,
  type GroundedSource,
  hangs,
  join,
  malformed,
  parts,
  refused,
  say,
  type ScriptedCall,
  type ScriptedTurn,
  serverSearch,
  think,
  undeclared,
} from "./turns.ts";
