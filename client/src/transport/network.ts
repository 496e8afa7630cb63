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

/** Whether an agent's network is one's own: on this machine, or with another root key than mainnet. */
export async function isLocalAgent(agent: AgentLike): Promise<boolean> {
  if (agent.host && isLoopback(agent.host)) return true;
  const { root_key: told } = agent.rootKey
    ? { root_key: agent.rootKey }
    : ((await agent.status()) as { root_key?: Uint8Array });
  return told !== undefined && toHex(new Uint8Array(told)) !== toHex(mainnetRootKey);
}

/**
 * Whether the network at an address is one's own, where everything may be lost and anybody may be
 * anonymous: it is on this machine, or its root key is not that of mainnet. Asks it where the address does
 * not say; throws where it does not answer.
 */
export async function isLocalNetwork(url: string): Promise<boolean> {
  if (isLoopback(url)) return true;
  const agent = await newAgent(url);
  const { root_key: told } = (await agent.status()) as { root_key?: Uint8Array };
  return told !== undefined && toHex(new Uint8Array(told)) !== toHex(mainnetRootKey);
}
