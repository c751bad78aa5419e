/** One line of a log: facts first, then a short message, as pino takes them. */
export interface LogMethod {
  (facts: object, message: string): void;
}

/** The five methods of a pino logger that this library calls; pass a pino instance or anything shaped like it. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

/** Does nothing. The default unless `POLLUX_LOG` names a level. */
export const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
