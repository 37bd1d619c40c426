/** An HTTP client that behaves like a browser, with the cookie of a session and an Origin, or otherwise, as a test says. */
import {once} from 'node:events'
import {type IncomingHttpHeaders, request} from 'node:http'
import {WebSocket} from 'ws'
import type {UiReply} from '../../machines/views/view.ts'
import type {TallyNode} from './tally-node.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface SentEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

export interface Visitor {
  /** Such as `http://127.0.0.1:7070`. */
  readonly url: string
  /** Value of the header. */
  readonly cookie: string
  /** Headers that are `undefined` are left out. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  json<T>(path: string): Promise<T>
  post(path: string, body?: unknown, headers?: Headers): Promise<Answer>
  /** Server-sent events, until enough have come. */
  follow(path: string, isEnough: (events: readonly SentEvent[]) => boolean, headers?: Headers): Promise<readonly SentEvent[]>
  open(path: string, headers?: Headers): Terminal
}

type Headers = Readonly<Record<string, string | undefined>>

export interface AskOptions {
  readonly headers?: Headers
  readonly body?: string
}

export async function visit(node: TallyNode): Promise<Visitor> {
  const {url} = await node.json<UiReply>('ui')
  const {origin, pathname, search} = new URL(url)
  const {headers} = await ask(origin, 'GET', `${pathname}${search}`)
  const [cookie = ''] = headers['set-cookie']?.map((text) => text.split(';')[0] ?? '') ?? []
  const own: Headers = {Cookie: cookie, Origin: origin}
  const visitor: Visitor = {
    url: origin,
    cookie,
    ask: (method, path, options = {}) => ask(origin, method, path, {...options, headers: {...own, ...options.headers}}),
    json: async (path) => {
      const {status, text} = await visitor.ask('GET', path)
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
      return JSON.parse(text)
    },
    post: (path, body = {}, more = {}) =>
      visitor.ask('POST', path, {body: JSON.stringify(body), headers: {'Content-Type': 'application/json', ...more}}),
    follow: (path, isEnough, more = {}) => follow(`${origin}${path}`, isEnough, {...own, ...more}),
    open: (path, more = {}) => openTerminal(`${origin.replace('http', 'ws')}${path}`, {...own, ...more}),
  }
  return visitor
}

export async function ask(origin: string, method: string, path: string, {headers = {}, body}: AskOptions = {}): Promise<Answer> {
  // fetch does not let a caller set Host, Origin and Cookie.
  const asked = request(`${origin}${path}`, {method, headers: withoutAbsent(headers), agent: false})
  asked.end(body)
  const [response] = await once(asked, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return {status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString()}
}

async function follow(url: string, isEnough: (events: readonly SentEvent[]) => boolean, headers: Headers): Promise<readonly SentEvent[]> {
  const stop = new AbortController()
  const response = await fetch(url, {headers: withoutAbsent(headers), signal: stop.signal})
  if (response.status !== 200 || !response.body) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  const events: SentEvent[] = []
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, {stream: true})
      const messages = text.split('\n\n')
      text = messages.pop() ?? ''
      events.push(...messages.flatMap(parseMessage))
      if (isEnough(events)) break
    }
    return events
  } finally {
    stop.abort()
  }
}

function parseMessage(message: string): readonly SentEvent[] {
  const fields = new Map(message.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  const data = fields.get('data')
  return data === undefined ? [] : [{id: fields.get('id'), event: fields.get('event') ?? 'message', data}]
}

/** A WebSocket to a terminal. */
export interface Terminal extends Disposable {
  readonly socket: WebSocket
  /** All that it has written so far. */
  readonly output: string
  /** The messages that it has got so far. */
  readonly messages: readonly TerminalText[]
  /** When it has been closed: with the code of the WebSocket, or the status of a refusal. */
  readonly ended: Promise<{readonly code: number; readonly body?: string}>
  type(text: string): void
  say(message: object): void
}

interface TerminalText {
  readonly type: string
  readonly [field: string]: unknown
}

function openTerminal(url: string, headers: Headers): Terminal {
  const socket = new WebSocket(url, {headers: withoutAbsent(headers)})
  const messages: TerminalText[] = []
  const chunks: Buffer[] = []
  const ended = Promise.withResolvers<{readonly code: number; readonly body?: string}>()
  socket.on('message', (data, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
    if (isBinary) chunks.push(bytes)
    else messages.push(JSON.parse(bytes.toString()))
  })
  socket.on('close', (code) => ended.resolve({code}))
  socket.on('error', (error) => ended.reject(error))
  socket.on('unexpected-response', async (_request, response) => {
    const body: Buffer[] = []
    for await (const chunk of response) body.push(chunk)
    ended.resolve({code: response.statusCode ?? 0, body: Buffer.concat(body).toString()})
  })
  return {
    socket,
    messages,
    get output() {
      return Buffer.concat(chunks).toString()
    },
    ended: ended.promise,
    type: (text) => socket.send(Buffer.from(text), {binary: true}),
    say: (message) => socket.send(JSON.stringify(message)),
    [Symbol.dispose]: () => socket.terminate(),
  }
}

function withoutAbsent(headers: Headers): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
