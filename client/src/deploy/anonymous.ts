import { CanopyError } from '../errors.js';
import type { Transport } from '../transport/transport.js';

const anonymous = '2vxsx-fae';

/**
 * Whoever creates canisters manages them, and as anonymous that is everybody. Throws `anonymous` where
 * the caller is, on a network that is not one's own.
 */
export async function refuseAnonymous(transport: Transport): Promise<void> {
  if ((await transport.principal()) !== anonymous || (await transport.isLocal?.())) return;
  throw new CanopyError(
    'anonymous',
    'deploying as anonymous is for local networks: on any other, everybody could change or delete the ' +
      'canisters. Deploy as an identity of yours: "--identity key.pem", or in a program ' +
      'httpTransport({ host, identity: await loadIdentity("key.pem") }); "icp identity new NAME" makes one, ' +
      '"icp identity export NAME > key.pem" writes its key',
  );
}
