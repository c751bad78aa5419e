/**
 * What is real in a trial: nothing (`replay`), the model (`recorded-tools`), the model from a turn on (`fork`), or everything except effects
 * (`live`).
 */
export type World = "replay" | "recorded-tools" | "fork" | "live";
