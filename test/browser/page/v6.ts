import { useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai-v6";
import { type Kit, openPage } from "./chat-page.ts";

openPage({
  version: 6,
  // Its types are those of all three versions as far as the page goes.
  useChat: useChat as unknown as Kit["useChat"],
  Transport: DefaultChatTransport,
  isAnswered: [lastAssistantMessageIsCompleteWithApprovalResponses, lastAssistantMessageIsCompleteWithToolCalls],
});
