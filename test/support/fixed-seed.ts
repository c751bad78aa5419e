// Properties draw the same values each time, so that CI only fails because of changes. To search for more, set POLLUX_SEED.
import fc from "fast-check";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env["POLLUX_SEED"] ?? 20_261_124) });
