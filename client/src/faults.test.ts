import { expect, test } from 'vitest';
import { isNetworkFault, isUntrusted } from './faults.js';

const caused = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
/** As agents have it: the reason is in `code`, also as `cause`. */
const agentError = (code: object, kind: string): Error =>
  Object.assign(new Error('agent'), { code, kind, cause: { code, kind } });

test.each([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'UND_ERR_SOCKET'].map(caused),
  new TypeError('Failed to fetch'),
  agentError({ error: caused('ECONNREFUSED') }, 'Transport'),
  ...[500, 502, 503, 504, 429, 408].map((status) => agentError({ status }, 'Protocol')),
  new DOMException('too slow', 'TimeoutError'),
])('a fault on the way: %s', (error) => {
  expect(isNetworkFault(error)).toBe(true);
});

test.each([
  new TypeError('x is not a function'),
  new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ERR_INVALID_URL' }) }),
  caused('ENOTFOUND'),
  caused('CERT_HAS_EXPIRED'),
  ...[400, 401, 403, 404].map((status) => agentError({ status }, 'Protocol')),
  agentError({ reason: 'signature' }, 'Trust'),
  'text',
  undefined,
  null,
])('none: %s', (error) => {
  expect(isNetworkFault(error)).toBe(false);
});

test('a certificate that does not verify is told apart', () => {
  expect(isUntrusted(agentError({ reason: 'signature' }, 'Trust'))).toBe(true);
  expect(isUntrusted(caused('ECONNREFUSED'))).toBe(false);
});

test('errors that cause themselves are looked at all the same', () => {
  const error: Error & { cause?: unknown } = new Error('loop');
  error.cause = error;
  expect(isNetworkFault(error)).toBe(false);
});
