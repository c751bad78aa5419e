// Properties draw the same values each time, so that a run of CI fails for what was changed. To search for more, set POLLUX_SEED.
import fc from "fast-check";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env["POLLUX_SEED"] ?? 20_261_124) });
