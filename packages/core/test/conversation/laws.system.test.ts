import { describeConversations, WAYS } from "./laws.ts";

describeConversations(WAYS.filter(([face, pace]) => (face === "stream") !== (pace === "fast")));
