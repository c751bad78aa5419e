import { useChat } from "@ai-sdk/react-v7";
import {
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai";
import { type Kit, openPage } from "./chat-page.ts";

openPage({
  version: 7,
  // The page only uses types that all three versions share.
  useChat: useChat as unknown as Kit["useChat"],
  Transport: DefaultChatTransport,
  isAnswered: [lastAssistantMessageIsCompleteWithApprovalResponses, lastAssistantMessageIsCompleteWithToolCalls],
});
