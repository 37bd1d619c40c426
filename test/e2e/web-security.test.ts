import {createServer} from 'node:net'
import {beforeAll, describe, expect, it} from 'vitest'
import type {UiReply} from '../../machines/views/view.ts'
import {startNode, useNode} from '../support/tally-node.ts'
import {ask, type Visitor, visit} from '../support/visitor.ts'

const node = useNode({args: ['--http', '127.0.0.1:0']})
let visitor: Visitor
beforeAll(async () => {
  visitor = await visit(node)
})

const codeOf = ({status, text}: {readonly status: number; readonly text: string}) => `${status} ${JSON.parse(text).code}`
const container = '/api/containers/n1/default/none'
const terminal = `${container}/terminal?mode=exec`

describe('a login', () => {
  it('turns a token into the cookie of a session, which no script can read and no other site can send', async () => {
    const {url, expiresAt} = await node.json<UiReply>('ui')
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(5 * 60_000)
    const {origin, pathname, search} = new URL(url)
    const {status, headers} = await ask(origin, 'GET', `${pathname}${search}`)
    expect({status, location: headers.location}).toEqual({status: 303, location: '/'})
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^tally_session_[\da-f]{8}=[\w.-]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/),
    ])
  })

  it('is given once', async () => {
    const {url} = await node.json<UiReply>('ui')
    const {origin, pathname, search} = new URL(url)
    expect((await ask(origin, 'HEAD', `${pathname}${search}`)).status).toBe(401)
    expect((await ask(origin, 'GET', `${pathname}${search}`)).status).toBe(303)
    const again = await ask(origin, 'GET', `${pathname}${search}`)
    expect(again).toMatchObject({status: 401, text: expect.stringContaining('tally ui')})
    expect(again.headers['set-cookie']).toBeUndefined()
  })

  it.each(['', '?token=', '?token=wrong', `?token=${'A'.repeat(43)}`, '?token=%00', '?tok=1'])(
    'is refused with a wrong token: %s',
    async (query) => {
      const {status, headers} = await ask(visitor.url, 'GET', `/login${query}`)
      expect({status, cookie: headers['set-cookie']}).toEqual({status: 401, cookie: undefined})
    },
  )
})

describe('without a session', () => {
  const paths = [
    '/api/node',
    '/api/containers',
    '/api/events',
    '/api/stats',
    `${container}/events`,
    `${container}/log`,
    `${container}/log/follow`,
    '/api/nothing',
  ]

  it.each(paths)('nothing is disclosed: %s', async (path) => {
    expect(codeOf(await visitor.ask('GET', path, {headers: {Cookie: undefined}}))).toBe('401 SESSION_INVALID')
    expect(codeOf(await visitor.ask('GET', path, {headers: {Cookie: `${visitor.cookie.split('=')[0]}=made.up`}}))).toBe(
      '401 SESSION_INVALID',
    )
  })

  it('nothing is done', async () => {
    expect(codeOf(await visitor.post(`${container}/start`, {}, {Cookie: undefined}))).toBe('401 SESSION_INVALID')
    const {code, body = ''} = await visitor.open(terminal, {Cookie: undefined}).ended
    expect(`${code} ${JSON.parse(body).code}`).toBe('401 SESSION_INVALID')
  })

  it('a cookie that was tampered with is none', async () => {
    const [name = ''] = visitor.cookie.split('=')
    const [payload = '', signature = ''] = visitor.cookie.slice(name.length + 1).split('.')
    const claims = {...JSON.parse(Buffer.from(payload, 'base64url').toString()), expiresAtMs: Number.MAX_SAFE_INTEGER}
    const forged = `${name}=${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
    expect((await visitor.ask('GET', '/api/node')).status).toBe(200)
    for (const cookie of [forged, `${visitor.cookie}x`, visitor.cookie.slice(0, -1), `${name}=${payload}`, `${name}=.`])
      expect((await visitor.ask('GET', '/api/node', {headers: {Cookie: cookie}})).status).toBe(401)
  })

  it('the page, which holds nothing, and whether the node is well are all there is', async () => {
    expect(await ask(visitor.url, 'GET', '/')).toMatchObject({
      status: 200,
      headers: {'content-type': expect.stringMatching(/^text\/html/i)},
    })
    expect(await ask(visitor.url, 'GET', '/c/n1/default/web?at=3')).toMatchObject({status: 200})
    expect(await ask(visitor.url, 'GET', '/healthz')).toMatchObject({status: 200, text: 'ok\n'})
    expect(codeOf(await ask(visitor.url, 'GET', '/metrics'))).toBe('401 SESSION_INVALID')
    expect(codeOf(await ask(visitor.url, 'GET', '/metrics', {headers: {Authorization: 'Bearer wrong'}}))).toBe('401 SESSION_INVALID')
  })
})

describe('another host', () => {
  const names = ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example', '10.1.2.3', '0.0.0.0', 'a_b']

  it.each(names)('is refused by its name, as after DNS rebinding: %j', async (host) => {
    for (const path of ['/', '/api/node', '/healthz', '/login?token=x', '/metrics'])
      expect((await visitor.ask('GET', path, {headers: {Host: host}})).status, path).toBe(403)
    expect((await visitor.post(`${container}/start`, {}, {Host: host, Origin: `http://${host}`})).status).toBe(403)
    expect((await visitor.open(terminal, {Host: host, Origin: `http://${host}`}).ended).code).toBe(403)
  })

  it('is not what a forwarded port makes of this one', async () => {
    for (const host of ['localhost:1234', '127.0.0.1', '[::1]:8080']) {
      expect((await visitor.ask('GET', '/api/node', {headers: {Host: host}})).status, host).toBe(200)
      expect(codeOf(await visitor.post(`${container}/start`, {}, {Host: host, Origin: `http://${host}`})), host).toBe(
        '404 CONTAINER_NOT_FOUND',
      )
    }
  })
})

describe('a page of another origin', () => {
  const origins = [undefined, 'null', 'http://evil.example', 'http://127.0.0.1', 'http://127.0.0.1:1', 'http://localhost:7070', 'file://']

  it.each(origins)('can change nothing, and open no terminal: %s', async (Origin) => {
    expect(codeOf(await visitor.post(`${container}/start`, {}, {Origin}))).toBe('403 ORIGIN_REFUSED')
    const {code, body = ''} = await visitor.open(terminal, {Origin}).ended
    expect(`${code} ${JSON.parse(body).code}`).toBe('403 ORIGIN_REFUSED')
  })

  it('cannot have anything read, which it could not see anyway', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect(codeOf(await visitor.ask('GET', '/api/events', {headers: {'Sec-Fetch-Site': site}}))).toBe('403 ORIGIN_REFUSED')
    expect((await visitor.ask('GET', '/api/node', {headers: {'Sec-Fetch-Site': 'same-origin'}})).status).toBe(200)
  })

  it('cannot send a form', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined])
      expect(codeOf(await visitor.post(`${container}/start`, {}, {'Content-Type': type}))).toBe('400 INVALID_REQUEST')
  })
})

describe('every answer', () => {
  it.each(['/', '/api/node', '/api/nothing', '/nothing', '/login', '/healthz'])('says what a browser may do with it: %s', async (path) => {
    const {headers} = await visitor.ask('GET', path)
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  it('is no file but those of the page', async () => {
    for (const path of [
      '/../package.json',
      '/..%2fpackage.json',
      '/assets/../../coordinator.js',
      '/coordinator.js',
      '/%2e%2e/coordinator.js',
      '//etc/passwd',
    ])
      expect((await visitor.ask('GET', path)).status, path).toBe(404)
  })
})

describe('an address', () => {
  it('that is taken is an error when it was asked for', async () => {
    await using other = await startNode({up: false})
    const {stderr, exitCode} = await other.tally('up', '-d', '--http', new URL(visitor.url).host)
    expect({stderr, exitCode}).toEqual({stderr: expect.stringContaining('(EADDRINUSE) [HTTP_ADDRESS_UNUSABLE]'), exitCode: 1})
    expect((await other.tally('up', '-d', '--http', '192.0.2.1:7070')).stderr).toContain('(EADDRNOTAVAIL) [HTTP_ADDRESS_UNUSABLE]')
    expect((await other.tally('up', '-d', '--http', 'nonsense')).exitCode).toBe(2)
  })

  it('is another by default when the usual one is taken', async () => {
    const taken = createServer().listen(7070, '127.0.0.1')
    // Another program may have it: that serves as well.
    taken.on('error', () => {})
    await using other = await startNode()
    const {httpUrl = ''} = await other.info()
    expect(httpUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(httpUrl).not.toBe('http://127.0.0.1:7070')
    expect((await ask(httpUrl, 'GET', '/healthz')).status).toBe(200)
    taken.close()
  })

  it('is none when it is off', async () => {
    await using other = await startNode({args: ['--http', 'off']})
    expect((await other.info()).httpUrl).toBeUndefined()
    expect(await other.tally('ui')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[HTTP_OFF]')})
  })
})

describe('a session', () => {
  it('outlives the coordinator, and a token does not', async () => {
    await using other = await startNode({args: ['--http', '127.0.0.1:0']})
    const before = await visit(other)
    const {url} = await other.json<UiReply>('ui')
    await other.tally('down')
    expect((await other.tally('up', '-d', '--http', new URL(before.url).host)).exitCode).toBe(0)
    expect((await before.ask('GET', '/api/node')).status).toBe(200)
    expect((await ask(before.url, 'GET', url.replace(before.url, ''))).status).toBe(401)
  })

  it('is good on its own node alone', async () => {
    await using other = await startNode({args: ['--http', '127.0.0.1:0']})
    const {httpUrl = ''} = await other.info()
    expect((await ask(httpUrl, 'GET', '/api/node', {headers: {Cookie: visitor.cookie}})).status).toBe(401)
  })
})

describe('whatever is sent', () => {
  it('does not end the coordinator', async () => {
    const {coordinatorPid} = await node.info()
    const {port} = new URL(visitor.url)
    const {connect} = await import('node:net')
    const heads = [
      'GET / HTTP/1.1\r\n\r\n',
      'NONSENSE\r\n\r\n',
      `GET ${terminal} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      `GET ${terminal} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nCookie: ${visitor.cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      'GET /%zz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      `POST ${container}/start HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nCookie: ${visitor.cookie}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
      `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${visitor.cookie}\r\n\r\n`,
      `GET /api/events?after=1e9 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${visitor.cookie}; ${visitor.cookie.split('=')[0]}=\r\n\r\n`,
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      'CONNECT example.com:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
      'GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a@127.0.0.1/\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n',
    ]
    await Promise.all(
      [...heads, ...heads].map(
        (head, index) =>
          new Promise<void>((resolve) => {
            const socket = connect(Number(port), '127.0.0.1', () => socket.write(head))
            socket.on('error', () => {})
            socket.on('close', () => resolve())
            // Half of them go without a word.
            setTimeout(() => (index < heads.length ? socket.resetAndDestroy() : socket.destroy()), 300)
          }),
      ),
    )
    expect((await node.info()).coordinatorPid).toBe(coordinatorPid)
    expect((await visitor.ask('GET', '/api/node')).status).toBe(200)
  })

  it('is refused when it is too large, or not what was expected', async () => {
    expect(
      codeOf(await visitor.ask('POST', `${container}/start`, {body: ' '.repeat(300_000), headers: {'Content-Type': 'application/json'}})),
    ).toBe('400 REQUEST_TOO_LARGE')
    expect(codeOf(await visitor.ask('POST', `${container}/start`, {body: '{', headers: {'Content-Type': 'application/json'}}))).toBe(
      '400 INVALID_REQUEST',
    )
    expect(codeOf(await visitor.ask('GET', '/api/events?after=-1'))).toBe('400 INVALID_REQUEST')
    expect(codeOf(await visitor.ask('GET', '/api/containers?deleted=2'))).toBe('400 INVALID_REQUEST')
    expect(codeOf(await visitor.ask('GET', '/api/containers/n1/a.b/web/log'))).toBe('400 INVALID_REQUEST')
    expect(codeOf(await visitor.ask('GET', '/api/containers/n1/default/%3E/events'))).toBe('400 INVALID_REQUEST')
    expect(codeOf(await visitor.post(`${container}/shutdown`))).toBe('404 INVALID_REQUEST')
    expect((await visitor.ask('DELETE', container)).status).toBe(404)
  })
})
