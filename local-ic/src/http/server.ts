import type { AddressInfo } from 'node:net';
import { canisterIdFromNumber, principalToText } from '../principal.js';
import type { SubnetSpec } from '../state/index.js';
import type { CostSchedule } from '../wasm/index.js';
import { exchangeOf, respond } from './exchange.js';
import { openGateway } from './gateway.js';
import { Instances } from './instances.js';
import { close, listen, patientServer } from './patient-server.js';
import { RestInterface } from './rest.js';

/** How to start a server. */
export interface ServerOptions {
  /** 0 or not given: a free one. */
  readonly port?: number;
  /** Address to listen on; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Seconds without a request and without a live instance after which the server ends. */
  readonly ttl?: number;
  /** Schedule of memory costs; '2026-07' unless given. */
  readonly costs?: CostSchedule;
  /** Called when the server ended because of `ttl`. */
  readonly onExpired?: () => void;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a server with PocketIC's REST interface, without instances: `PocketIc.create(url)` of
 * `@dfinity/pic` makes them.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const host = options.host ?? '127.0.0.1';
  const instances = new Instances(options.costs ?? '2026-07');
  let lastUse = Date.now();
  const used = (): void => {
    lastUse = Date.now();
  };
  const rest = new RestInterface(instances, host, used);
  let open = 0;
  const server = patientServer((request, response) => {
    used();
    open++;
    void respond(response, () => rest.handle(exchangeOf(request))).finally(() => {
      open--;
      used();
    });
  });
  await listen(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;

  const ttlMs = options.ttl === undefined ? Infinity : options.ttl * 1000;
  const timer = setInterval(
    () => {
      if (open > 0 || instances.anyLive() || Date.now() - lastUse < ttlMs) return;
      void stop().then(options.onExpired);
    },
    Math.min(1000, Math.max(100, ttlMs / 4)),
  );
  timer.unref();

  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await rest.stop();
    await close(server);
  };
  return { url: `http://${host}:${port}`, port, stop };
}

/** A live network: what agents need to know of it. */
export interface LiveNetwork extends RunningServer {
  /** Text of a canister id of the subnet on which canisters are created, for `create_canister`. */
  readonly effectiveCanisterId: string;
}

/** How to start a live network. */
export interface LiveOptions extends Omit<ServerOptions, 'ttl' | 'onExpired'> {
  /** One application subnet unless given. */
  readonly subnets?: readonly SubnetSpec[];
  /** Whether there are a cycles ledger, a cycles minting canister and an ICP ledger; no unless given. */
  readonly systemCanisters?: boolean;
}

/**
 * Starts one live instance, reached as a replica is: `HttpAgent.create({ host: url,
 * shouldFetchRootKey: true })`. Its time is the time of day.
 */
export async function startLive(options: LiveOptions = {}): Promise<LiveNetwork> {
  const host = options.host ?? '127.0.0.1';
  const instances = new Instances(options.costs ?? '2026-07');
  const now = BigInt(Date.now()) * 1_000_000n;
  const instance = instances.create(
    options.subnets ?? [{ kind: 'application' }],
    now,
    options.systemCanisters,
  );
  const gateway = await openGateway(instance, host, options.port ?? 0);
  instance.progress.start();
  const stop = async (): Promise<void> => {
    await gateway.stop();
    instances.stop();
  };
  const effectiveCanisterId = principalToText(
    canisterIdFromNumber(instance.defaultSubnet().allocation.first),
  );
  return { url: `http://${host}:${gateway.port}`, port: gateway.port, effectiveCanisterId, stop };
}
