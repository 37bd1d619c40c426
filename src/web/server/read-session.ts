import type {IncomingHttpHeaders} from 'node:http'
import {parse} from 'hono/utils/cookie'
import {TallyError} from '../../kernel/errors.ts'
import type {Session, Sessions} from './sessions.ts'

/** @throws TallyError SESSION_INVALID */
export function readSession(sessions: Sessions, {cookie}: IncomingHttpHeaders): Session {
  const session = sessions.verify(parse(cookie ?? '', sessions.cookieName)[sessions.cookieName])
  if (!session) throw new TallyError('SESSION_INVALID', 'expected the cookie of a session; `tally ui` begins one')
  return session
}
