import type { Attributes, Context } from "@opentelemetry/api";
import type { EventLogger } from "./options.ts";
import type { CapturedContent } from "./run-content.ts";

/** Events of the conventions, as log records in the context of their span. */

/** Severities of the data model of logs. */
const DEBUG = 5;
const WARN = 13;

/** Everything known about a model request, with structured content. */
export function emitDetails(
  logger: EventLogger,
  attributes: Attributes,
  content: CapturedContent["structured"],
  at: number,
  context: Context,
): void {
  logger.emit({
    eventName: "gen_ai.client.inference.operation.details",
    timestamp: at,
    severityNumber: DEBUG,
    severityText: "DEBUG",
    attributes: { ...attributes, ...content },
    context,
  });
}

/** A model request has failed. */
export function emitException(logger: EventLogger, attributes: Attributes, at: number, context: Context): void {
  logger.emit({
    eventName: "gen_ai.client.operation.exception",
    timestamp: at,
    severityNumber: WARN,
    severityText: "WARN",
    attributes,
    context,
  });
}
