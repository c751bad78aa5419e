export { improvise, type ImproviseOptions } from "./improvise/improvise.ts";
