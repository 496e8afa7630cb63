import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { handleApi } from './api.js';
import { exchangeOf, json, respond, type Answer, type Exchange } from './exchange.js';
import type { Instance } from './instance.js';
import { pageTarget, servePage } from './pages.js';
import { close, listen, patientServer } from './patient-server.js';
import { topologyOf } from './topology.js';

const gatewayHeaders = {
  'access-control-allow-origin': '*',
  vary: 'origin, access-control-request-method, access-control-request-headers',
  'access-control-expose-headers':
    'accept-ranges,content-length,content-range,x-request-id,x-ic-canister-id',
} as const;

/** A port on which a live instance is reached as the Internet Computer is: API and canisters' pages. */
export interface Gateway {
  readonly port: number;
  stop(): Promise<void>;
}

/** Opens a gateway; port 0 takes a free one. `used` is told of each request. */
export async function openGateway(
  instance: Instance,
  host: string,
  port: number,
  used: () => void = () => undefined,
): Promise<Gateway> {
  const server = patientServer((request, response) => {
    used();
    const exchange = exchangeOf(request);
    const transport = {
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-request-id': randomUUID(),
    };
    void respond(response, () => handle(instance, exchange), transport);
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => close(server),
  };
}

async function handle(instance: Instance, exchange: Exchange): Promise<Answer> {
  if (exchange.method === 'OPTIONS') return preflight;
  if (exchange.path.startsWith('/api/')) {
    return withHeaders(await handleApi(instance, exchange, exchange.path));
  }
  if (exchange.path === '/_/topology') return withHeaders(json(topologyOf(instance)));
  const target = pageTarget(exchange);
  if (target === undefined) {
    return { status: 307, headers: { location: 'https://dashboard.internetcomputer.org/' } };
  }
  return withHeaders(await servePage(instance, exchange, target));
}

const preflight: Answer = {
  status: 200,
  headers: {
    ...gatewayHeaders,
    'access-control-allow-methods': 'HEAD, GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers':
      'DNT,User-Agent,X-Requested-With,If-None-Match,If-Modified-Since,Cache-Control,Content-Type,Range,Cookie,X-Ic-Canister-Id',
    'access-control-max-age': '600',
  },
};

function withHeaders(answer: Answer): Answer {
  return { ...answer, headers: { ...gatewayHeaders, ...answer.headers } };
}
