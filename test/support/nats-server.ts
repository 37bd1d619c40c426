/** A real nats-server for one test, on loopback, with a password. It can be killed, and started again on the same port and store. */
import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, writeFileSync} from 'node:fs'
import {connect as dial} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {connect, type NatsConnection} from 'nats'
import type {Connection, Credentials} from '../../src/messaging/connection.ts'
import {findFreePort} from './free-port.ts'
import {makeTempDir} from './temp-dir.ts'

export interface NatsServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly credentials: Extract<Credentials, {readonly type: 'user'}>
  /** The content of a connection file of node `n1`. */
  readonly connection: Connection
  readonly pid: number
  /** A connection that does not reconnect; it is closed together with the server. */
  connect(): Promise<NatsConnection>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Kills it if it runs, and starts it on the same port and store. */
  restart(): Promise<void>
}

export interface NatsServerOptions {
  readonly port?: number
  /** Stays when given; otherwise made, and removed with the server. */
  readonly storeDir?: string
  readonly jetstream?: boolean
  /** One of several: JetStream answers when the others are there too, so being ready means to accept connections. */
  readonly isMember?: boolean
  /** Of a message, in bytes; by default 1 MiB. */
  readonly maxPayload?: number
  /** Demands TLS, with a certificate of `test/fixtures/tls`. */
  readonly tls?: {
    readonly certificate?: 'server' | 'named' | 'expired'
    /** The authority that must have signed the client's certificate. */
    readonly verify?: 'ca' | 'other-ca'
  }
  /** Instead of a user and a password. */
  readonly authorization?: string
  /** Further lines of its configuration. */
  readonly config?: string
}

/** The end of the wait is the answer, not the clock: this is for a machine that is busy with other tests. */
const readyPatienceMs = 60_000

export async function startNatsServer({
  port: wanted,
  storeDir,
  jetstream = true,
  isMember = false,
  maxPayload = 1024 * 1024,
  tls,
  authorization,
  config: more = '',
}: NatsServerOptions = {}): Promise<NatsServer> {
  const dir = makeTempDir()
  const port = wanted ?? (await findFreePort())
  const url = `${tls ? 'tls' : 'nats'}://127.0.0.1:${port}`
  const credentials = {type: 'user', user: 'test', password: 'secret-of-the-test'} as const
  const login = {servers: url, user: credentials.user, pass: credentials.password, reconnect: false, timeout: 10_000}
  const config = join(dir.path, 'nats.conf')
  const store = storeDir ?? join(dir.path, 'store')
  if (jetstream) mkdirSync(store, {recursive: true})
  writeFileSync(
    config,
    `host: 127.0.0.1
port: ${port}
max_payload: ${maxPayload}
${authorization ?? `authorization { user: ${credentials.user}, password: ${credentials.password} }`}
${jetstream ? `jetstream { store_dir: ${JSON.stringify(store)} }` : ''}
${tls ? toTlsConfig(tls) : ''}
${more}
`,
  )
  let child = await start()

  return {
    url,
    port,
    credentials,
    connection: {url, credentials, node: 'n1', prefix: 'tally'},
    get pid() {
      return child.pid ?? 0
    },
    connect: () => connect(login),
    kill,
    restart: async () => {
      await kill()
      child = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await kill()
      await dir[Symbol.asyncDispose]()
    },
  }

  async function start(): Promise<ChildProcess> {
    const started = spawn('nats-server', ['-c', config], {stdio: 'ignore'})
    const failure = once(started, 'error').then(([error]) => String(error))
    const ended = once(started, 'exit').then(([code]) => `it ended with ${code}`, String)
    for (const giveUpAt = Date.now() + readyPatienceMs; ; ) {
      if (await isReady()) return started
      const why = await Promise.race([failure, ended, sleep(20)])
      if (why) throw new Error(`expected nats-server to start (apt-get install nats-server): ${why}`)
      if (Date.now() > giveUpAt) {
        started.kill('SIGKILL')
        throw new Error(`expected nats-server to be ready within ${readyPatienceMs} ms`)
      }
    }
  }

  async function isReady(): Promise<boolean> {
    if (tls || authorization !== undefined) return await accepts(port)
    try {
      const connection = await connect(login)
      if (jetstream && !isMember) await connection.jetstreamManager()
      await connection.close()
      return true
    } catch {
      return false
    }
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}

/** A file of `test/fixtures/tls`. */
export function toTlsFile(name: string): string {
  return join(import.meta.dirname, '../fixtures/tls', name)
}

function toTlsConfig({certificate = 'server', verify}: NonNullable<NatsServerOptions['tls']>): string {
  return `tls {
  cert_file: ${JSON.stringify(toTlsFile(`${certificate}.pem`))}
  key_file: ${JSON.stringify(toTlsFile(`${certificate}.key`))}
  ${verify ? `ca_file: ${JSON.stringify(toTlsFile(`${verify}.pem`))}\n  verify: true` : ''}
}`
}

async function accepts(port: number): Promise<boolean> {
  const socket = dial(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
