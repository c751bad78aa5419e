import { useChat } from "@ai-sdk/react-v5";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls } from "ai-v5";
import { type Kit, openPage } from "./chat-page.ts";

openPage({
  version: 5,
  // The page only uses types that all three versions share.
  useChat: useChat as unknown as Kit["useChat"],
  Transport: DefaultChatTransport,
  isAnswered: [lastAssistantMessageIsCompleteWithToolCalls],
});
