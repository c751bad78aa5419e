export { fileNotes } from "./notes/file-notes.ts";
export { memoryNotes } from "./notes/memory-notes.ts";
export type { Note, NoteChange, NoteDecision, NoteStore } from "./notes/note-store.ts";
export {
  type FoundNotes,
  noteTools,
  type NoteToolOptions,
  type ShownNote,
  type WrittenNote,
} from "./notes/note-tools.ts";
export { sessionNotes, type SessionNotesOptions } from "./notes/session-notes.ts";
