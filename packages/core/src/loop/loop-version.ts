/**
 * Version of the order in which the loop makes its steps. A run remembers the one it was begun with, and another one refuses to
 * go on with it. Raise it with every change to the names or the order of steps.
 */
export const LOOP_VERSION = 1;
