/**
 * Which of the errors that transports throw are faults on the way, known by what the platforms and the
 * agents say of them; errors are looked at with all their causes, whichever library wrapped them.
 */

/** Codes of Node's sockets and of its `fetch` for connections refused, broken or too slow. */
const socketFaults = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);
/** What browsers' `fetch` says, with no code, where the connection failed. */
const browserFaults = new Set([
  'Failed to fetch',
  'Load failed',
  'NetworkError when attempting to fetch resource.',
]);
/** Names of errors by which a client library gives up waiting for an answer. */
const timeoutNames = new Set(['ServerRequestTimeoutError', 'TimeoutError']);
/** HTTP: the server is too slow, has too much to do, or stands before one that does not answer. */
const tooSlow = 408;
const tooMany = 429;

interface Link {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  kind?: unknown;
  status?: unknown;
  cause?: unknown;
  error?: unknown;
}

/** An error and what it says caused it: `cause`, and the `code` and `error` in which agents keep it. */
function* links(error: unknown): Generator<Link> {
  const queue = [error];
  for (let depth = 0; depth < 16 && queue.length > 0; depth++) {
    const link = queue.shift();
    if (typeof link !== 'object' || link === null) continue;
    yield link;
    const { cause, code, error: inner } = link as Link;
    queue.push(cause, code, inner);
  }
}

/** Status of an HTTP answer that an agent refused; undefined where there is none. */
export function httpStatusOf(error: unknown): number | undefined {
  for (const { status } of links(error)) {
    if (typeof status === 'number' && status >= 400 && status < 600) return status;
  }
  return undefined;
}

/** Whether the answer was lost on its way, or never came. */
export function isNetworkFault(error: unknown): boolean {
  const status = httpStatusOf(error);
  if (status !== undefined) return status >= 500 || status === tooMany || status === tooSlow;
  for (const { code, name, message } of links(error)) {
    if (typeof code === 'string' && socketFaults.has(code)) return true;
    if (timeoutNames.has(String(name))) return true;
    if (name === 'TypeError' && browserFaults.has(String(message))) return true;
  }
  return false;
}

/** Whether there is no host of the name that was asked. */
export function isUnknownHost(error: unknown): boolean {
  for (const { code } of links(error)) if (code === 'ENOTFOUND') return true;
  return false;
}

/** Whether an agent found that an answer is not signed as it must be. */
export function isUntrusted(error: unknown): boolean {
  for (const { kind } of links(error)) if (kind === 'Trust') return true;
  return false;
}
