import type { Logger } from "@pollux/core";
import type { LoggerTransport, RestateLogLevel } from "@restatedev/restate-sdk";

/** The SDK's log messages as lines of a logger, with agent and run: each start and end of a handler is logged at `debug`. */
export function workerLog(logger: Logger | undefined): LoggerTransport {
  return ({ level, replaying, context }, message, ...more) => {
    if (logger === undefined || replaying) return;
    // A workflow has the agent's name, and its key is the run's id.
    const facts =
      context === undefined
        ? {}
        : {
            runId: context.key,
            agent: context.serviceName,
            handler: context.handlerName,
            invocation: context.invocationId,
          };
    const words = [message, ...more].map((one) => (one instanceof Error ? one.message : String(one)));
    logger[METHODS[level]](facts, words.join(" ").trim());
  };
}

const METHODS: { readonly [Level in `${RestateLogLevel}`]: keyof Logger } = {
  trace: "trace",
  debug: "debug",
  info: "debug",
  warn: "warn",
  error: "error",
};
