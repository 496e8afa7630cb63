import { UserError, type ErrorCode } from '../errors.js';

const DOCUMENTATION = 'https://internetcomputer.org/docs/current/references/execution-errors#';

/** An error with advice and a link on a second line, as the replica writes them. */
export function documented(
  code: ErrorCode,
  text: string,
  suggestion: string,
  anchor: string,
): UserError {
  return new UserError(code, `${text}\n${suggestion} See documentation: ${DOCUMENTATION}${anchor}`);
}
