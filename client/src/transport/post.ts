import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { builtin } from '../platform.js';

export interface HttpAnswer {
  status: number;
  body: Uint8Array;
}

/** The part of `node:http` and `node:https` that is used. */
interface HttpModule {
  Agent: new (options: { keepAlive: boolean }) => Agent;
  request(
    url: URL,
    options: { method: string; headers: Record<string, string | number>; agent: Agent },
    answered: (answer: IncomingMessage) => void,
  ): ClientRequest;
}

/** Keep connections open, by protocol. */
const agents = new Map<string, Agent>();

/**
 * Sends CBOR by HTTP. In Node the parts go out as they are: `fetch` would copy a message of megabytes
 * three times. Throws what the platform throws where there is no answer.
 */
export async function post(url: URL, parts: readonly Uint8Array[]): Promise<HttpAnswer> {
  const http = builtin(url.protocol === 'https:' ? 'node:https' : 'node:http') as
    HttpModule | undefined;
  if (http) return postByNode(http, url, parts);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/cbor' },
    body: new Blob(parts as Uint8Array<ArrayBuffer>[]),
  });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

function postByNode(http: HttpModule, url: URL, parts: readonly Uint8Array[]): Promise<HttpAnswer> {
  let agent = agents.get(url.protocol);
  if (!agent) agents.set(url.protocol, (agent = new http.Agent({ keepAlive: true })));
  const headers = {
    'content-type': 'application/cbor',
    'content-length': parts.reduce((sum, part) => sum + part.length, 0),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers, agent }, (answer) => {
      const body: Uint8Array[] = [];
      answer.on('data', (part: Uint8Array) => body.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = new Uint8Array(body.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of body) {
          bytes.set(part, at);
          at += part.length;
        }
        resolve({ status: answer.statusCode!, body: bytes });
      });
    });
    request.on('error', reject);
    for (const part of parts) request.write(part);
    request.end();
  });
}
