import { IDL } from 'azle';
import { coordinatorIdl, type CoordinatorActor } from '@canopy/protocol';

export interface Method {
  name: keyof CoordinatorActor;
  argTypes: IDL.Type[];
  retTypes: IDL.Type[];
}

type Types = Omit<Method, 'name'>;
const service = coordinatorIdl({ IDL }) as { _fields: [keyof CoordinatorActor, Types][] };

/** Candid types of all methods, from the interface that clients use too. */
export const methods = Object.fromEntries(
  service._fields.map(([name, { argTypes, retTypes }]) => [name, { name, argTypes, retTypes }]),
) as Record<keyof CoordinatorActor, Method>;

/** The type table of a reply and its value's type, to be followed by a value written by hand. */
export function replyHead(method: Method, sample: unknown, sampleBytes: number): Uint8Array {
  const whole = IDL.encode(method.retTypes, [sample]);
  return whole.slice(0, whole.length - sampleBytes);
}
