import type { Access, CoordinatorClient } from '../coordinator-client.js';
import type { AccessOptions, Deployment } from './manifest.js';

function isSame(one: Access, other: Access): boolean {
  const text = ({ callers, anonymous }: Access): string =>
    JSON.stringify([
      anonymous,
      callers === 'open' ? callers : callers.map(({ caller }) => caller).sort(),
    ]);
  return text(one) === text(other);
}

/** Callers with the quotas they have already. */
function withQuotas(callers: 'open' | readonly string[], before: Access): Access['callers'] {
  if (callers === 'open') return callers;
  const known = before.callers === 'open' ? [] : before.callers;
  return callers.map((caller) => known.find((one) => one.caller === caller) ?? { caller });
}

/**
 * Has a coordinator take over who may call; what `wanted` does not say stays. Notes it in the manifest.
 */
export async function applyAccess(
  client: CoordinatorClient,
  wanted: AccessOptions,
  deployment: Deployment,
): Promise<void> {
  const before = await client.access();
  const after: Access = {
    ...before,
    ...(wanted.anonymous !== undefined && { anonymous: wanted.anonymous }),
    ...(wanted.callers !== undefined && { callers: withQuotas(wanted.callers, before) }),
  };
  if (!isSame(before, after)) await client.setAccess(after);
  const { anonymous, callers } = after;
  deployment.access = {
    anonymous,
    callers: callers === 'open' ? callers : callers.map(({ caller }) => caller),
  };
}
