import { handleApi } from './api.js';
import { Blobs } from './blobs.js';
import { BodyReader, HttpError, parseBody } from './body.js';
import { cors, json, notFound, text, wrongMethod, type Answer, type Exchange } from './exchange.js';
import { openGateway, type Gateway } from './gateway.js';
import type { Instance } from './instance.js';
import {
  InstanceError,
  readInitialTime,
  readSubnets,
  readFeatures,
  type Instances,
} from './instances.js';
import { awaitIngressMessage, ingressStatus, query, submitIngressMessage } from './rest-calls.js';
import { mockOutcall, pendingOutcalls } from './rest-outcalls.js';
import {
  addCycles,
  getControllers,
  getCycles,
  getStableMemory,
  getSubnet,
  getTime,
  publicKey,
  setStableMemory,
  setTime,
} from './rest-state.js';
import { topologyOf } from './topology.js';

type Operation = (
  instance: Instance,
  body: BodyReader,
  server: RestInterface,
) => Answer | Promise<Answer>;

/** Operations on an instance that read only, by their last path part. */
const reads: Readonly<Record<string, Operation>> = {
  query,
  ingress_status: ingressStatus,
  get_cycles: getCycles,
  get_controllers: getControllers,
  get_stable_memory: getStableMemory,
  get_subnet: getSubnet,
  pub_key: publicKey,
};

const readsWithoutBody: Readonly<Record<string, (instance: Instance) => Answer>> = {
  get_time: getTime,
  get_canister_http: pendingOutcalls,
  topology: (instance) => json(topologyOf(instance)),
};

const updates: Readonly<Record<string, Operation>> = {
  submit_ingress_message: submitIngressMessage,
  await_ingress_message: awaitIngressMessage,
  set_time: setTime,
  set_certified_time: setTime,
  add_cycles: addCycles,
  set_stable_memory: (instance, body, { blobs }) => setStableMemory(instance, body, blobs),
  mock_canister_http: mockOutcall,
  tick: (instance, body) => {
    body.optional('blockmakers');
    instance.tick();
    return json(null);
  },
};

/** The REST interface that clients of the PocketIC server speak. */
export class RestInterface {
  readonly blobs = new Blobs();
  readonly #gateways: ({ readonly instance: Instance; readonly gateway: Gateway } | undefined)[] =
    [];

  constructor(
    private readonly instances: Instances,
    private readonly host: string,
    /** Told of each request to a gateway. */
    private readonly used: () => void,
  ) {}

  async handle(exchange: Exchange): Promise<Answer> {
    const { method, path } = exchange;
    const parts = path.split('/').slice(1);
    if (method === 'OPTIONS') return { status: 200, headers: preflight };
    if (path === '/status' && method === 'GET') return { status: 200 };
    if (parts[0] === 'blobstore' && method === 'GET') return this.#blob(parts[1] ?? '');
    if (path === '/blobstore' && method === 'POST') {
      return text(this.blobs.add(await exchange.body()), 200);
    }
    if (parts[0] === 'read_graph') return json({ message: 'Malformed state label.' }, 400, {});
    if (parts[0] === 'http_gateway') return this.#handleGateway(exchange, parts);
    if (parts[0] === 'instances') return this.#handleInstances(exchange, parts);
    return notFound;
  }

  /** A blob by its id in hex. */
  #blob(id: string): Answer {
    const body = this.blobs.find(id);
    if (!body) return { status: 404 };
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body };
  }

  async stop(): Promise<void> {
    for (const entry of this.#gateways) await entry?.gateway.stop();
    this.instances.stop();
  }

  async #handleInstances(exchange: Exchange, parts: string[]): Promise<Answer> {
    const [, id, group, name] = parts;
    if (id === undefined || id === '') {
      if (exchange.method === 'GET') return json(this.instances.states());
      return exchange.method === 'POST' ? this.#create(await readJson(exchange)) : notFound;
    }
    if (group === undefined) {
      if (exchange.method !== 'DELETE') return notFound;
      this.instances.delete(id);
      return { status: 200, headers: cors };
    }
    if (group === 'api') {
      return handleApi(this.instances.get(id), exchange, `/${parts.slice(2).join('/')}`);
    }
    if (name === undefined) return this.#handleProgress(exchange, id, group);
    return this.#operate(exchange, id, group, name);
  }

  async #operate(exchange: Exchange, id: string, group: string, name: string): Promise<Answer> {
    const read = group === 'read' || group === '_' ? readsWithoutBody[name] : undefined;
    const operations = group === 'read' ? reads : group === 'update' ? updates : {};
    const operation = operations[name];
    if (read === undefined && operation === undefined) return notFound;
    if (read && exchange.method === 'GET') return read(this.instances.get(id));
    if (operation === undefined || exchange.method !== 'POST') return wrongMethod;
    const body = await readJson(exchange);
    return operation(this.instances.get(id), body, this);
  }

  async #handleProgress(exchange: Exchange, id: string, name: string): Promise<Answer> {
    if (name === 'auto_progress') {
      if (exchange.method === 'GET') return json(this.instances.get(id).progress.enabled);
      const body = await readJson(exchange);
      const delay = Number(body.optional('artificial_delay_ms')?.integer() ?? 0n);
      this.instances.get(id).progress.start(delay);
      return json(null);
    }
    if (name === 'stop_progress' && exchange.method === 'POST') {
      this.instances.get(id).progress.stop();
      return json(null);
    }
    return notFound;
  }

  #create(body: BodyReader): Answer {
    try {
      const subnets = readSubnets(body);
      const systemCanisters = readFeatures(body);
      const { timeNs, live } = readInitialTime(body);
      const instance = this.instances.create(subnets, timeNs, systemCanisters);
      if (live) instance.progress.start();
      const created = {
        instance_id: instance.id,
        topology: topologyOf(instance),
        http_gateway_info: null,
      };
      return json({ Created: created }, 201);
    } catch (error) {
      if (error instanceof InstanceError) return json({ Error: { message: error.message } }, 400);
      throw error;
    }
  }

  async #handleGateway(exchange: Exchange, parts: string[]): Promise<Answer> {
    const [, id, action] = parts;
    if (id === undefined || id === '') {
      if (exchange.method === 'GET') return json(this.#listGateways(), 200, {});
      return exchange.method === 'POST' ? this.#openGateway(await readJson(exchange)) : notFound;
    }
    if (action !== 'stop' || exchange.method !== 'POST') return notFound;
    await this.#gateways[Number(id)]?.gateway.stop();
    this.#gateways[Number(id)] = undefined;
    return json(null, 200, {});
  }

  async #openGateway(body: BodyReader): Promise<Answer> {
    const forward = body.field('forward_to').variant();
    if (forward.tag !== 'PocketIcInstance') {
      const message = `The embedded Internet Computer forwards to its own instances only, not to ${forward.tag}.`;
      return json({ Error: { message } }, 400, {});
    }
    const instance = this.instances.get(String(forward.body!.integer()));
    const port = Number(body.optional('port')?.integer('u16') ?? 0n);
    const host = body.optional('ip_addr')?.string() ?? this.host;
    let gateway: Gateway;
    try {
      gateway = await openGateway(instance, host, port, this.used);
    } catch (error) {
      const message = `Failed to bind to port ${port}: ${error instanceof Error ? error.message : String(error)}`;
      return json({ Error: { message } }, 400, {});
    }
    this.#gateways.push({ instance, gateway });
    const created = { instance_id: this.#gateways.length - 1, port: gateway.port };
    return json({ Created: created }, 201, {});
  }

  #listGateways() {
    return this.#gateways.flatMap((entry, instance_id) =>
      entry === undefined
        ? []
        : [
            {
              instance_id,
              port: entry.gateway.port,
              forward_to: { PocketIcInstance: entry.instance.id },
              domains: null,
              https_config: null,
            },
          ],
    );
  }
}

const preflight = {
  ...cors,
  'access-control-allow-methods': '*',
  'access-control-allow-headers': '*',
};

async function readJson(exchange: Exchange): Promise<BodyReader> {
  const type = exchange.request.headers['content-type'] ?? '';
  if (!/^application\/([\w.+-]+\+)?json\b/.test(type)) {
    throw new HttpError(415, 'Expected request with `Content-Type: application/json`');
  }
  return parseBody(await exchange.body());
}
