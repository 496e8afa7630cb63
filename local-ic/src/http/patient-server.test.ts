import { expect, test } from 'vitest';
import { patientServer } from './patient-server.js';

test('none of the limits of the server closes a connection that it has not read yet', () => {
  const server = patientServer(() => undefined);
  expect(server).toMatchObject({ headersTimeout: 0, requestTimeout: 0, timeout: 0 });
  expect(server.keepAliveTimeout).toBeGreaterThanOrEqual(600_000);
});
