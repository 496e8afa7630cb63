import type { HttpRequestRecord, HttpResponseRecord } from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { metricsPage } from './metrics-page.js';
import { contentType } from './prometheus.js';
import { certificationHeaders } from './uncertified.js';

const metricsPath = '/metrics';

/** What an HTTP gateway is answered: figures at `/metrics`, and nothing else. */
export async function httpAnswer(
  coordinator: Coordinator,
  { method, url }: Pick<HttpRequestRecord, 'method' | 'url'>,
): Promise<HttpResponseRecord> {
  // It is only there before the first await.
  const certificate = coordinator.ic.certificate();
  const headers = certificate ? certificationHeaders(certificate) : [];
  const answer = (status: number, type: string, text: string): HttpResponseRecord => ({
    status_code: status,
    headers: [['content-type', type], ...headers],
    body: new TextEncoder().encode(text),
  });
  const path = url.split('?', 1)[0];
  if (method !== 'GET' || path !== metricsPath) {
    return answer(404, 'text/plain', `GET ${metricsPath}\n`);
  }
  return answer(200, contentType, await metricsPage(coordinator));
}
