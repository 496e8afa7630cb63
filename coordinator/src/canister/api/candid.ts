import { IDL } from 'azle';
import { coordinatorIdl, type CoordinatorActor } from '@canopy/protocol';

export interface Method {
  argTypes: IDL.Type[];
  retTypes: IDL.Type[];
}

const service = coordinatorIdl({ IDL }) as { _fields: [keyof CoordinatorActor, Method][] };

/** Candid types of all methods, from the interface that clients use too. */
export const methods = Object.fromEntries(service._fields) as Record<
  keyof CoordinatorActor,
  Method
>;

/** The type table of a reply and its value's type, to be followed by a value written by hand. */
export function replyHead(method: Method, sample: unknown, sampleBytes: number): Uint8Array {
  const whole = IDL.encode(method.retTypes, [sample]);
  return whole.slice(0, whole.length - sampleBytes);
}
