export { openTelemetry } from "./open-telemetry.ts";
export type {
  CaptureContent,
  ContentOptions,
  EventLogger,
  EventLoggerProvider,
  OpenTelemetryOptions,
} from "./options.ts";
