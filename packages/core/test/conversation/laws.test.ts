import { describeConversations, describeEvents, WAYS } from "./laws.ts";

// One face with each pace; the system tests have the rest.
describeConversations(WAYS.filter(([face, pace]) => (face === "stream") === (pace === "fast")));
describeEvents();
