/** Messages of {@link TestIc}, as a canister gets and sends them. */

export type Principal = string;
export type Answer = { reply: Uint8Array } | { reject: { code: number; text: string } };

/** Who is to be answered: a caller outside, by the number of its call, or a call of a canister. */
export type Origin =
  | { kind: 'outside'; call: number }
  | { kind: 'call'; canister: Principal; callId: number }
  | { kind: 'none' };

export interface Message {
  to: Principal;
  method?: { name: string; caller: Principal; arg: Uint8Array; origin: Origin };
  response?: { callId: number; answer: Answer };
  timer?: true;
}

/** What executing a message gave: messages to others, answers to callers. */
export type Sent = { message: Message } | { origin: Origin; answer: Answer };
