import { useChat } from "@ai-sdk/react-v7";
import {
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai";
import { type Kit, openPage } from "./chat-page.ts";

openPage({
  version: 7,
  // Its types are those of all three versions as far as the page goes.
  useChat: useChat as unknown as Kit["useChat"],
  Transport: DefaultChatTransport,
  isAnswered: [lastAssistantMessageIsCompleteWithApprovalResponses, lastAssistantMessageIsCompleteWithToolCalls],
});
