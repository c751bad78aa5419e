// Properties draw the same values each time, so that a run of CI fails for what was changed. To search for more: POLLUX_SEED=random, or a number.
import fc from "fast-check";

const { POLLUX_SEED = "20261124" } = process.env;

if (POLLUX_SEED !== "random") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(POLLUX_SEED) });
