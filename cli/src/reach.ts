import { connect } from 'node:net';
import { CommandError } from './errors.js';

/** Milliseconds that a host may take to accept a connection. */
const connectTimeoutMs = 2000;
const pauseMs = 1000;
/** Connections that fail one after the other until a host counts as gone. */
const failuresUntilGone = 3;

/** Whether an address is one of this machine. */
export function isOnThisMachine(host: string): boolean {
  const { hostname } = new URL(host);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost');
}

/** Why no connection comes about; undefined where one does. How soon a host answers does not matter. */
export function cannotConnect(
  host: string,
  timeoutMs = connectTimeoutMs,
): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(host);
  return new Promise((resolve) => {
    const socket = connect({
      // An IPv6 address stands in brackets in an URL.
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      timeout: timeoutMs,
    });
    const end = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => {
      end(undefined);
    });
    socket.once('timeout', () => {
      // On a busy machine the clock may run out before a connection that is there is seen.
      setImmediate(end, `no connection within ${timeoutMs / 1000} s`);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(reasons[error.code ?? ''] ?? error.message);
    });
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
};

/**
 * Does `work`, and gives up as soon as `host` is gone: calls under way would wait for it for minutes.
 * Throws {@link CommandError} then, with `advice` in its text.
 */
export async function whileReachable<T>(
  host: string,
  advice: string,
  work: Promise<T>,
): Promise<T> {
  const watch = new AbortController();
  try {
    return await Promise.race([work, rejectWhenGone(host, advice, watch.signal)]);
  } finally {
    watch.abort();
  }
}

async function rejectWhenGone(host: string, advice: string, stop: AbortSignal): Promise<never> {
  for (let failures = 0; ;) {
    await pause(stop);
    const reason = await cannotConnect(host);
    failures = reason === undefined ? 0 : failures + 1;
    if (failures === failuresUntilGone) {
      throw new CommandError(`${host} is gone: ${String(reason)}; ${advice}`);
    }
  }
}

/** Waits; for ever once it is told to stop. */
function pause(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return;
    const onStop = (): void => {
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener('abort', onStop);
      resolve();
    }, pauseMs);
    stop.addEventListener('abort', onStop, { once: true });
  });
}
