import type { Conversation, ConversationChange, Message } from "@pollux/core/conversation";

/**
 * Says to a client, in its protocol, what has changed in one message of the assistant since the last call.
 *
 * What it has said is a function of the message alone, not of how it came about: showing a stored message to a new encoder means the
 * same to a client as following the run that wrote it.
 */
export interface MessageEncoder<Chunk> {
  /**
   * What is new. The objects of a conversation are immutable and shared between its versions, so a part that is the same object is unchanged.
   *
   * @param message - The same message in every call, as it is now.
   * @param conversation - The conversation that contains it.
   * @param changes - What one update changed since the last call, where that is known: more of a text then needs no comparing of texts.
   */
  show(message: Message, conversation: Conversation, changes?: readonly ConversationChange[]): readonly Chunk[];
  /** Closes what is open: the run has ended, or nothing goes on. Call it once, as the last. */
  finish(conversation: Conversation): readonly Chunk[];
  /** Something outside the message went wrong. Its text is fit for anybody. Call it once, as the last, instead of `finish`. */
  fail(error: unknown): readonly Chunk[];
}
