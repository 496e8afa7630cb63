import { toCanopyError } from '../errors.js';
import { fromHex, toHex } from '../sha256.js';
import { newAgent, type AgentLike } from './agent-shape.js';

/** The public key of the Internet Computer's mainnet, as DER (interface specification, "Root of trust"). */
export const mainnetRootKey = fromHex(
  '308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08bd81373c25' +
    '5c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8' +
    '472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae',
);

const localHosts = new Set(['localhost', '[::1]', '0.0.0.0']);

/** Whether an address names this machine. */
export function isLoopback(url: string | URL): boolean {
  const { hostname } = new URL(url);
  return (
    localHosts.has(hostname) ||
    hostname.endsWith('.localhost') ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

function isMainnet(key: Uint8Array): boolean {
  return toHex(new Uint8Array(key)) === toHex(mainnetRootKey);
}

/** The root key that the network itself tells. */
async function toldRootKey(agent: AgentLike): Promise<Uint8Array> {
  const { root_key: key } = (await agent.status()) as { root_key?: Uint8Array };
  return key ?? mainnetRootKey;
}

/** Whether an agent's network is one's own: on this machine, or with another root key than mainnet. */
export async function isLocalAgent(agent: AgentLike): Promise<boolean> {
  if (agent.host && isLoopback(agent.host)) return true;
  return !isMainnet(agent.rootKey ?? (await toldRootKey(agent)));
}

/**
 * Whether the network at an address is one's own, where everything may be lost and anybody may be
 * anonymous: it is on this machine, or its root key is not that of mainnet. Asks it where the address does
 * not say. Throws {@link CanopyError} where it does not answer.
 */
export async function isLocalNetwork(url: string): Promise<boolean> {
  if (isLoopback(url)) return true;
  try {
    return !isMainnet(await toldRootKey(await newAgent(url)));
  } catch (error) {
    throw toCanopyError(error, `asking ${url} for its root key`);
  }
}
