/** What an operator returns. */
export const DONE: i32 = 0;
/** The budget is used: call the same node again in another message; it goes on where it was. */
export const YIELD: i32 = 1;
/** `tensor/errors` holds the text. */
export const FAILED: i32 = 2;
/** No operator has this code. */
export const UNKNOWN: i32 = 3;
