/**
 * What this package knows of agents: the releases of `@dfinity/agent` 3 and of `@icp-sdk/core` 5 and 6
 * have these parts in common. Principals are given to them as text.
 */
import { Principal } from '@dfinity/principal';
import { CallRejected } from '../errors.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- each release has its own classes of the same shape */
/** An agent, such as `HttpAgent` of any of these releases. */
export interface AgentLike {
  readonly rootKey?: Uint8Array | null;
  /** Where it sends calls, where it tells. */
  readonly host?: URL;
  getPrincipal(): Promise<{ toText(): string }>;
  query(canister: any, fields: any): Promise<any>;
  call(canister: any, fields: any): Promise<any>;
  /** A call with its answer; `@dfinity/agent` 3 does not have it. */
  update?(canister: any, fields: any, polling?: any): Promise<{ reply: Uint8Array }>;
  status(): Promise<any>;
}

/** An identity, such as those of any of these releases. */
export interface IdentityLike {
  getPrincipal(): { toText(): string };
  transformRequest(request: any): Promise<unknown>;
  /** A request with its signature, of one whose id is known; identities of this package have it. */
  signRequest?(content: object, id: Uint8Array): Promise<object>;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** One call. */
export interface AgentCall {
  canister: string;
  method: string;
  arg: Uint8Array;
  /** The canister that a call to the management canister is about. */
  effectiveCanister: string;
}

/** Waits between two looks for an answer; throws where nobody waits any more. */
export type WaitStrategy = () => Promise<void>;

function fieldsOf({ method, arg, effectiveCanister }: AgentCall) {
  return { methodName: method, arg, effectiveCanisterId: Principal.fromText(effectiveCanister) };
}

type QueryAnswer =
  | { status: 'replied'; reply: { arg: Uint8Array } }
  | { status: 'rejected'; reject_code: number; reject_message: string };

export async function queryBy(agent: AgentLike, call: AgentCall): Promise<Uint8Array> {
  const answer = (await rejections(agent.query(call.canister, fieldsOf(call)))) as QueryAnswer;
  if (answer.status === 'rejected') {
    throw new CallRejected(answer.reject_code, answer.reject_message);
  }
  return answer.reply.arg;
}

/**
 * Makes an update call and waits for its answer, which is checked against its certificate. The replica is
 * asked to answer in the call itself; it is looked for where that takes longer, or a replica cannot.
 */
export async function updateBy(
  agent: AgentLike,
  call: AgentCall,
  strategy: WaitStrategy,
): Promise<Uint8Array> {
  if (agent.update === undefined) return rejections(updateByAgent3(agent, call, strategy));
  const answer = agent.update(call.canister, fieldsOf(call), { strategy });
  return (await rejections(answer)).reply;
}

interface SubmitAnswer {
  requestId: Uint8Array;
  response: {
    body: { certificate: Uint8Array } | { reject_code: number; reject_message: string } | null;
  };
}

async function updateByAgent3(
  agent: AgentLike,
  call: AgentCall,
  strategy: WaitStrategy,
): Promise<Uint8Array> {
  const { Certificate, lookupResultToBuffer, pollForResponse } = await import('@dfinity/agent');
  const effective = Principal.fromText(call.effectiveCanister);
  const { requestId, response } = (await agent.call(call.canister, fieldsOf(call))) as SubmitAnswer;
  const { body } = response;
  if (body !== null && 'reject_code' in body) {
    throw new CallRejected(body.reject_code, body.reject_message);
  }
  if (body !== null && 'certificate' in body) {
    const certificate = await Certificate.create({
      certificate: body.certificate,
      rootKey: agent.rootKey!,
      canisterId: effective,
    });
    const field = (name: string): Uint8Array | undefined =>
      lookupResultToBuffer(certificate.lookup_path(['request_status', requestId, name]));
    const text = (name: string): string => new TextDecoder().decode(field(name));
    if (text('status') === 'replied') return field('reply')!;
    if (text('status') === 'rejected') {
      throw new CallRejected(field('reject_code')![0]!, text('reject_message'));
    }
  }
  const id = requestId as Parameters<typeof pollForResponse>[2];
  const polled = await pollForResponse(agent as never, effective, id, { strategy });
  return polled.reply;
}

/** Turns an agent's error of a rejected call into {@link CallRejected}, whichever release threw it. */
async function rejections<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const code = (error as { code?: { rejectCode?: unknown; rejectMessage?: unknown } }).code;
    if (typeof code?.rejectCode !== 'number') throw error;
    throw new CallRejected(code.rejectCode, String(code.rejectMessage), { cause: error });
  }
}

/** The part of an agent's package that makes agents. */
interface AgentModule {
  HttpAgent: {
    createSync(options: {
      host: string;
      identity?: unknown;
    }): AgentLike & { fetchRootKey(): Promise<unknown> };
  };
}

/** Packages that make agents, the first that is installed is taken. */
const agentPackages: (() => Promise<unknown>)[] = [
  () => import('@icp-sdk/core/agent'),
  () => import('@dfinity/agent'),
];

/** An agent of whichever package is installed. Throws where none is. */
export async function newAgent(
  host: string,
  identity?: IdentityLike,
): Promise<ReturnType<AgentModule['HttpAgent']['createSync']>> {
  for (const load of agentPackages) {
    let loaded: AgentModule;
    try {
      loaded = (await load()) as AgentModule;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      continue;
    }
    return loaded.HttpAgent.createSync({ host, ...(identity && { identity }) });
  }
  throw new Error('no agent is installed: npm install @icp-sdk/core, or @dfinity/agent 3');
}
