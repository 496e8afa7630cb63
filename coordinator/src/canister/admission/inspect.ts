/** Which messages are taken at all: those that would come to nothing are refused before they cost anything. */
import { CanisterError, coordinatorMethods, type CoordinatorMethod } from '@canopy/protocol';
import { decodeArguments, requestArguments } from '../api/arguments.js';
import { methods } from '../api/candid.js';
import { callerText } from '../bytes/text-of-bytes.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError } from '../error.js';
import { requireTicket } from '../pipeline/fetch.js';
import { admitRequest } from './request.js';

function methodOf(name: string): CoordinatorMethod {
  if (Object.hasOwn(coordinatorMethods, name)) {
    return coordinatorMethods[name as keyof typeof coordinatorMethods];
  }
  throw new CoordinatorError(CanisterError.badMessage, `the coordinator has no method ${name}`);
}

/**
 * Throws {@link CoordinatorError} `not-authorised` where the caller of the message may not call its method,
 * `bad-message` where the argument is longer than that method's may be.
 */
export function allow({ ic, policy }: Coordinator, name: string, argumentBytes: number): void {
  const { role, argumentBytes: most } = methodOf(name);
  policy.require(ic.caller(), role, name);
  if (argumentBytes <= most) return;
  throw new CoordinatorError(
    CanisterError.badMessage,
    `the argument takes ${argumentBytes} bytes, that of ${name} at most ${most}`,
  );
}

/**
 * Throws {@link CoordinatorError} where a message of its caller would be refused. Changes nothing.
 *
 * @param argument read only where the caller may call the method
 */
export function inspect(coordinator: Coordinator, name: string, argument: () => Uint8Array): void {
  allow(coordinator, name, 0);
  const bytes = argument();
  allow(coordinator, name, bytes.length);
  switch (name as keyof typeof coordinatorMethods) {
    case 'infer':
    case 'submit':
      inspectRequest(coordinator, bytes);
      return;
    case 'fetch':
    case 'fetch_update': {
      const [ticket] = decodeArguments(methods.fetch, bytes);
      requireTicket(coordinator, ticket as bigint);
      return;
    }
    case 'release': {
      const [ticket] = decodeArguments(methods.release, bytes);
      requireTicket(coordinator, ticket as bigint);
      return;
    }
    case 'unregister_model': {
      const [model] = decodeArguments(methods.unregister_model, bytes);
      coordinator.models.requireKnown(model as string);
      return;
    }
    case 'cancel':
      decodeArguments(methods.cancel, bytes);
      return;
    default:
    // Operators and owners are trusted with long arguments; queries as updates are answered.
  }
}

/** One that came before is answered with its ticket, whatever the caller has used up meanwhile. */
function inspectRequest(coordinator: Coordinator, bytes: Uint8Array): void {
  const [model, inputs, [number]] = requestArguments(bytes);
  const caller = coordinator.ic.caller();
  if (number && coordinator.numbers.find(callerText(caller), number.id)) return;
  admitRequest(coordinator, caller, model, inputs, number);
}
