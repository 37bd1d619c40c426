/** A nats-server that is not the node's own: started, killed and started again by a test, on one port and one store. */
import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type ConnectionOptions, connect} from 'nats'

export interface ExternalNats extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly login: Pick<ConnectionOptions, 'servers' | 'user' | 'pass'>
  start(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

export async function startExternalNats({jetstream = true}: {readonly jetstream?: boolean} = {}): Promise<ExternalNats> {
  const dir = mkdtempSync(join(tmpdir(), 'tally-nats-'))
  const port = await findFreePort()
  const [user, password] = ['tally', 'test-password']
  const config = join(dir, 'nats.conf')
  const store = jetstream ? `jetstream { store_dir: "${join(dir, 'store')}" }\n` : ''
  writeFileSync(config, `host: 127.0.0.1\nport: ${port}\n${store}authorization { user: ${user}, password: ${password} }\n`)
  const login = {servers: `nats://127.0.0.1:${port}`, user, pass: password}
  let child: ChildProcess | undefined
  await start()
  return {
    url: login.servers,
    port,
    user,
    password,
    login,
    start,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill()
      rmSync(dir, {recursive: true, force: true})
    },
  }

  async function start(): Promise<void> {
    child = spawn('nats-server', ['-c', config], {stdio: 'ignore'})
    for (const giveUpAt = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      try {
        const connection = await connect({...login, reconnect: false, timeout: 1_000})
        if (jetstream) await connection.jetstreamManager()
        return await connection.close()
      } catch (error) {
        if (Date.now() > giveUpAt) throw new Error('expected nats-server to start: apt-get install nats-server', {cause: error})
      }
    }
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}

export async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  return address.port
}
