// @vitest-environment happy-dom
import { checkConversation } from "./conversation-checks.ts";

checkConversation();
