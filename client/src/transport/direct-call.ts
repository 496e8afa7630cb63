/**
 * Update calls over the IC's HTTP interface without an agent, for messages of megabytes: agents hash each
 * in JavaScript and check a certificate for each answer, which takes longer than to send it.
 */
import { decode } from '@dfinity/cbor';
import { Principal } from '@dfinity/principal';
import { CallRejected } from '../errors.js';
import { nativeRequestIdOf } from '../identity/request-id.js';
import type { AgentCall, IdentityLike, WaitStrategy } from './agent-shape.js';
import { cborParts } from './cbor-parts.js';
import { lookUp } from './hash-tree.js';
import { post, type HttpAnswer } from './post.js';

/** As long as the IC takes a message after it was signed, less a minute for clocks that differ. */
const expiryMs = 4 * 60 * 1000;
const nonceBytes = 16;

/** An answer with a status that says that nothing was done. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

interface CallAnswer {
  status: 'replied' | 'non_replicated_rejection';
  certificate?: Uint8Array;
  reject_code?: number;
  reject_message?: string;
}

/** Calls to one host as one identity. */
export class DirectCalls {
  constructor(
    private readonly host: string,
    /** Anonymous where it is left out. */
    private readonly identity: IdentityLike | undefined,
  ) {}

  /**
   * Makes an update call and returns when it is answered. The answer is believed without a look at its
   * certificate's signature: for calls whose outcome a later one proves.
   *
   * Throws {@link CallRejected}, {@link HttpStatusError}, and what `fetch` throws.
   */
  async update(call: AgentCall, strategy: WaitStrategy): Promise<void> {
    const content = {
      request_type: 'call',
      canister_id: Principal.fromText(call.canister).toUint8Array(),
      method_name: call.method,
      arg: call.arg,
      nonce: crypto.getRandomValues(new Uint8Array(nonceBytes)),
      ...this.sender(),
    };
    const id = await nativeRequestIdOf(content);
    const path = `/api/v3/canister/${call.effectiveCanister}/call`;
    const { status, body } = await this.send(path, content, id);
    if (status === 202) {
      await this.poll(call.effectiveCanister, id, strategy);
      return;
    }
    const answer = decode<CallAnswer>(body);
    if (answer.status === 'non_replicated_rejection') {
      throw new CallRejected(answer.reject_code ?? 0, answer.reject_message ?? '');
    }
    if (!answered(answer.certificate!, id)) await this.poll(call.effectiveCanister, id, strategy);
  }

  /** Looks for the answer of a call until it is there. */
  private async poll(canister: string, id: Uint8Array, strategy: WaitStrategy): Promise<void> {
    for (;;) {
      await strategy();
      const paths = [[new TextEncoder().encode('request_status'), id]];
      const content = { request_type: 'read_state', paths, ...this.sender() };
      const path = `/api/v2/canister/${canister}/read_state`;
      const { body } = await this.send(path, content, await nativeRequestIdOf(content));
      if (answered(decode<{ certificate: Uint8Array }>(body).certificate, id)) return;
    }
  }

  private sender(): { sender: Uint8Array; ingress_expiry: bigint } {
    const who = this.identity?.getPrincipal().toText() ?? Principal.anonymous().toText();
    return {
      sender: Principal.fromText(who).toUint8Array(),
      ingress_expiry: BigInt(Date.now() + expiryMs) * 1_000_000n,
    };
  }

  private async send(path: string, content: object, id: Uint8Array): Promise<HttpAnswer> {
    const parts = cborParts(await this.envelope(content, id));
    const answer = await post(new URL(path, this.host), parts);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new HttpStatusError(answer.status, new TextDecoder().decode(answer.body));
  }

  /** The request with its signature. */
  private async envelope(content: object, id: Uint8Array): Promise<object> {
    const { identity } = this;
    if (!identity) return { content };
    if (identity.signRequest) return identity.signRequest(content, id);
    return ((await identity.transformRequest({ body: content })) as { body: object }).body;
  }
}

/** Whether a certificate says that a call was answered. Throws {@link CallRejected} where it was rejected. */
function answered(certificate: Uint8Array, id: Uint8Array): boolean {
  const { tree } = decode<{ tree: never }>(certificate);
  const field = (name: string): Uint8Array | undefined =>
    lookUp(tree, ['request_status', id, name]);
  const text = (name: string): string => new TextDecoder().decode(field(name));
  const status = text('status');
  if (status === 'rejected') {
    throw new CallRejected(field('reject_code')?.[0] ?? 0, text('reject_message'));
  }
  return status === 'replied' || status === 'done';
}
