/** Stands where the name of an expression would, when none was named. */
export const UNSURE = "unsure";
