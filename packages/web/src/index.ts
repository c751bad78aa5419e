export type { MessageEncoder } from "./message-encoder.ts";
