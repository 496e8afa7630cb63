import { sameId } from '../principal.js';
import { answerHttpOutcall, type HttpAnswer } from '../management/index.js';
import { HttpError, type BodyReader } from './body.js';
import { json, type Answer } from './exchange.js';
import type { Instance } from './instance.js';
import { base64 } from './topology.js';

/** `read/get_canister_http`: HTTPS outcalls that wait for an answer. */
export function pendingOutcalls({ ic }: Instance): Answer {
  return json(
    ic.subnets.flatMap((subnet) =>
      [...subnet.httpOutcalls].map(([id, outcall]) => ({
        subnet_id: { subnet_id: base64(subnet.id) },
        request_id: id,
        http_method: outcall.method,
        url: outcall.url,
        headers: outcall.headers.map(({ name, value }) => ({ name, value })),
        body: base64(outcall.body),
        max_response_bytes: outcall.maxResponseBytes ?? null,
      })),
    ),
  );
}

/** `update/mock_canister_http`: plays the web server for one of them. */
export function mockOutcall({ ic }: Instance, body: BodyReader): Answer {
  const id = body.field('subnet_id').field('subnet_id').bytes();
  const subnet = ic.subnets.find((candidate) => sameId(candidate.id, id));
  const requestId = Number(body.field('request_id').integer());
  const answer = readAnswer(body.field('response'));
  if (!subnet || !answerHttpOutcall(ic.managementContext(subnet), subnet, requestId, answer)) {
    throw new HttpError(400, `InvalidMockCanisterHttpResponses((${requestId}, 0))`, true);
  }
  return json(null);
}

function readAnswer(response: BodyReader): HttpAnswer {
  const { tag, body } = response.variant();
  if (tag === 'CanisterHttpReply') {
    return {
      kind: 'reply',
      status: Number(body!.field('status').integer('u16')),
      headers: body!
        .field('headers')
        .items()
        .map((header) => ({
          name: header.field('name').string(),
          value: header.field('value').string(),
        })),
      body: body!.field('body').bytes(),
    };
  }
  if (tag === 'CanisterHttpReject') {
    return {
      kind: 'reject',
      code: Number(body!.field('reject_code').integer()),
      message: body!.field('message').string(),
    };
  }
  throw response.invalid(
    `unknown variant \`${tag}\`, expected \`CanisterHttpReply\` or \`CanisterHttpReject\``,
  );
}
