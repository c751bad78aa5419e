import type { ModelStepValue } from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import type { Content } from "../../wire/types/content.ts";

/** A message sent to a session while a run was going. */
export interface SteerRecord {
  /** Its entry's place in the log. */
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly contents: readonly Content[];
  readonly id?: string | undefined;
}

/** The steering messages of a session's log, and how far its runs have read them. */
export class SteeringLog {
  records: SteerRecord[] = [];
  /** Those before this place in the log are part of the history. */
  cursor = 0;

  /** Those that no request has included yet. */
  get unread(): readonly SteerRecord[] {
    return this.after(this.cursor);
  }

  after(place: number): readonly SteerRecord[] {
    return this.records.filter(({ position }) => position >= place);
  }

  /** A step was recorded, whose request may have included some. */
  addStep(outcome: Outcome): void {
    // Only the steps of requests have such a member.
    const { steered } = ((outcome.ok && outcome.value) || {}) as Partial<ModelStepValue>;
    this.cursor = Math.max(this.cursor, steered?.upTo ?? 0);
  }

  /** Those that came after a run began go with the run that read them. */
  rewind(start: { readonly position: number; readonly steeringCursor: number }): void {
    this.records = this.records.filter(({ position }) => position < start.position || position >= this.cursor);
    this.cursor = start.steeringCursor;
  }
}
