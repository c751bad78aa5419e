import { useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai-v6";
import { type Kit, openPage } from "./chat-page.ts";

openPage({
  version: 6,
  // The page only uses types that all three versions share.
  useChat: useChat as unknown as Kit["useChat"],
  Transport: DefaultChatTransport,
  isAnswered: [lastAssistantMessageIsCompleteWithApprovalResponses, lastAssistantMessageIsCompleteWithToolCalls],
});
