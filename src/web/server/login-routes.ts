/** From a one-time token to a session. */
import {setCookie} from 'hono/cookie'
import type {App} from './app-environment.ts'
import type {Backend} from './backend.ts'
import {sessionLifeMs} from './sessions.ts'

const refusal = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tallyman: no entry</title>
<h1>This address has been used, or is too old</h1>
<p>It is good for one login within a few minutes. Run <code>tally ui</code> on the node for another.</p>
</html>
`

export function addLoginRoutes(app: App, {tokens, sessions}: Pick<Backend, 'tokens' | 'sessions'>): void {
  app.get('/login', (context) => {
    context.header('Cache-Control', 'no-store')
    // A HEAD request, as link checkers send it, must not use up the token.
    const actor = context.req.method === 'GET' ? tokens.redeem(context.req.query('token') ?? '') : undefined
    if (actor === undefined) return context.html(refusal, 401)
    setCookie(context, sessions.cookieName, sessions.issue({actor: `${actor} (page)`}), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: sessionLifeMs / 1_000,
    })
    return context.redirect('/', 303)
  })
}
