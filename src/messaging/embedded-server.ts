/**
 * The embedded nats-server: a separate process on loopback, with generated credentials and JetStream on disk. It outlives the coordinator
 * that started it. Port and password are kept, so that clients find it again after a restart. While the disk is full it runs without
 * JetStream, which would hang (2.9) or never write again (2.15).
 */
import {spawn} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {closeSync, openSync} from 'node:fs'
import {mkdir, readFile, rm, truncate} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import * as z from 'zod'
import type {Clock} from '../kernel/clock.ts'
import {toToolEnvironment} from '../kernel/environment.ts'
import {TallyError} from '../kernel/errors.ts'
import {replaceFile} from '../kernel/files.ts'
import {isAlive, type ProcessIdentity, readProcessIdentity} from '../linux/process-table.ts'
import {type Credentials, connectNats} from './connection.ts'
import {assertReadsStore, noteWriter} from './store-version.ts'

export interface EmbeddedServer {
  readonly url: string
  readonly credentials: Credentials
  readonly process: ProcessIdentity
  /** Off while the disk is full. */
  readonly jetStream: boolean
}

export interface EmbeddedServerOptions {
  /** Name or path of nats-server. */
  readonly binary: string
  /** Holds the store, the configuration and the log; survives reboots. */
  readonly dir: string
  /** Has a second pid file, for the case that the disk of the first is full. */
  readonly runDir: string
  readonly clock: Clock
  /** On when absent. It has no effect on a server that runs already. */
  readonly jetStream?: boolean
  /** Called with the pid of every process that is started, before it can end, and again when it was reaped. */
  readonly onSpawn?: (pid: number) => void
  readonly onReaped?: (pid: number) => void
}

const settingsSchema = z.object({port: z.int(), user: z.string(), password: z.string()})
type Settings = z.infer<typeof settingsSchema>
const recordSchema = z.object({pid: z.int(), startTimeTicks: z.int(), bootId: z.string(), jetStream: z.boolean().default(true)})
type ServerRecord = z.infer<typeof recordSchema>

const readyPatienceMs = 10_000
const usualStopPatienceMs = 5_000
const portTries = 3

/** The server that an earlier coordinator started, if it still runs; otherwise a new one. @throws TallyError NATS_NOT_FOUND, NATS_TOO_OLD, NATS_START_FAILED */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const running = await findEmbeddedServer(options)
  if (running) return running
  await mkdir(options.dir, {recursive: true, mode: 0o700})
  await mkdir(options.runDir, {recursive: true, mode: 0o700})
  let settings = (await readSettings(options)) ?? (await newSettings())
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(settings, options)
    } catch (error) {
      const taken = error instanceof TallyError && /address already in use/i.test(String(error.details['log']))
      if (!taken || attempt === portTries) throw error
      // Another program uses the port now; the password can be kept.
      settings = {...settings, port: await findFreePort()}
    }
  }
}

/** The embedded server of these directories, if the recorded process still runs: a process with the same pid is not enough. */
export async function findEmbeddedServer(options: Pick<EmbeddedServerOptions, 'dir' | 'runDir'>): Promise<EmbeddedServer | undefined> {
  const settings = await readSettings(options)
  const records = await Promise.all(pidFiles(options).map(async (file) => recordSchema.safeParse(await readJson(file))))
  const running = records.find(({success, data}) => success && isAlive(data))?.data
  return settings && running && toServer(settings, running)
}

/** Sends SIGTERM, and SIGKILL after a time (default: 5 s). Resolves when the server has ended. Idempotent. */
export async function stopEmbeddedServer(
  options: Pick<EmbeddedServerOptions, 'dir' | 'runDir' | 'clock'> & {readonly stopPatienceMs?: number},
): Promise<boolean> {
  const server = await findEmbeddedServer(options)
  if (!server) return false
  const {clock, stopPatienceMs = usualStopPatienceMs} = options
  process.kill(server.process.pid, 'SIGTERM')
  const giveUpAt = clock.elapsed() + stopPatienceMs
  while (isAlive(server.process)) {
    if (clock.elapsed() > giveUpAt) process.kill(server.process.pid, 'SIGKILL')
    await clock.sleep(20)
  }
  await removePidFiles(options)
  return true
}

async function start(settings: Settings, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const {binary, dir, clock, onSpawn, onReaped} = options
  const {jetStream = true} = options
  const log = toLogFile(options)
  if (jetStream) await assertReadsStore(options)
  const configs = {with: join(dir, 'nats-server.conf'), without: join(dir, 'nats-server-without-jetstream.conf')}
  // Both are written while there is room: on a full disk the existing files are used.
  await replaceFile(settingsFile(options), JSON.stringify(settings))
  await replaceFile(configs.with, toConfig(settings, dir))
  await replaceFile(configs.without, toConfig(settings, undefined))
  const config = jetStream ? configs.with : configs.without
  await truncate(log).catch(() => {})
  const logFd = openSync(log, 'a', 0o600)
  const child = spawn(binary, ['-c', config], {detached: true, stdio: ['ignore', logFd, logFd], cwd: '/', env: toToolEnvironment()})
  closeSync(logFd)
  const {pid} = child
  if (pid !== undefined) onSpawn?.(pid)
  child.once('exit', () => pid !== undefined && onReaped?.(pid))
  const failure = once(child, 'error').then(([error]) => error as Error)
  child.unref()
  const identity = pid === undefined ? undefined : readProcessIdentity(pid)
  if (!identity) {
    const {message} = await failure
    throw new TallyError('NATS_NOT_FOUND', `cannot execute ${binary} (${message}); on Debian and Ubuntu: apt-get install nats-server`)
  }
  const record = {...identity, jetStream}
  const server = toServer(settings, record)
  await writePidFiles(options, record)
  for (const giveUpAt = clock.elapsed() + readyPatienceMs; ; await clock.sleep(20)) {
    if (!isAlive(identity) || clock.elapsed() > giveUpAt) {
      if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL')
      await removePidFiles(options)
      throw await toStartError(log)
    }
    try {
      const connection = await connectNats({url: server.url, credentials: server.credentials, name: 'tally-coordinator start'})
      const isReady = !jetStream || (await connection.jetstreamManager().then(...toBoolean))
      if (isReady && jetStream) await noteWriter(dir, connection.info?.version)
      await connection.close()
      if (isReady) return server
    } catch {
      // Not listening yet.
    }
  }
}

const toBoolean = [() => true, () => false] as const

/**
 * The store's limit is not derived from what was free when the server started: the store may use the whole disk.
 * @param dir of the store; without JetStream when undefined
 */
function toConfig({port, user, password}: Settings, dir: string | undefined): string {
  return `# Written by Tallyman at every start.
host: 127.0.0.1
port: ${port}
server_name: tallyman
max_payload: 1MB
${
  dir === undefined
    ? ''
    : `jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))}, max_file_store: 1PB }
`
}authorization { user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)}, timeout: 20 }
`
}

function toServer({port, user, password}: Settings, {jetStream, ...identity}: ServerRecord): EmbeddedServer {
  return {url: `nats://127.0.0.1:${port}`, credentials: {type: 'user', user, password}, process: identity, jetStream}
}

async function newSettings(): Promise<Settings> {
  return {port: await findFreePort(), user: 'tally', password: randomBytes(32).toString('base64url')}
}

async function readSettings(options: Pick<EmbeddedServerOptions, 'dir'>): Promise<Settings | undefined> {
  const settings = settingsSchema.safeParse(await readJson(settingsFile(options)))
  return settings.success ? settings.data : undefined
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TallyError('INTERNAL', 'a listening socket has no port')
  return address.port
}

async function toStartError(logFile: string): Promise<TallyError> {
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-10).join('\n')
  return new TallyError('NATS_START_FAILED', `the embedded nats-server did not become ready:\n${log}`, {details: {log, logFile}})
}

/** Whether the end of the server's log says that the store cannot be written: this server will not write to it again (2.15). */
export async function hasWriteError(options: Pick<EmbeddedServerOptions, 'dir'>): Promise<boolean> {
  const log = await readFile(toLogFile(options), 'utf8').catch(() => '')
  return /no space left on device|disk quota exceeded|critical write error/i.test(log)
}

function toLogFile({dir}: Pick<EmbeddedServerOptions, 'dir'>): string {
  return join(dir, 'nats-server.log')
}

function settingsFile({dir}: Pick<EmbeddedServerOptions, 'dir'>): string {
  return join(dir, 'settings.json')
}

/** The first survives a wiped run directory; the second can be written when the disk of the first is full. */
function pidFiles({dir, runDir}: Pick<EmbeddedServerOptions, 'dir' | 'runDir'>): readonly string[] {
  return [dir, runDir].map((place) => join(place, 'nats-server.pid.json'))
}

async function writePidFiles(options: Pick<EmbeddedServerOptions, 'dir' | 'runDir'>, record: ServerRecord): Promise<void> {
  const results = await Promise.allSettled(pidFiles(options).map((file) => replaceFile(file, JSON.stringify(record))))
  const [failed, other] = results.filter(({status}) => status === 'rejected')
  if (failed?.status === 'rejected' && other) throw failed.reason
}

async function removePidFiles(options: Pick<EmbeddedServerOptions, 'dir' | 'runDir'>): Promise<void> {
  for (const file of pidFiles(options)) await rm(file, {force: true})
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // A crash in the middle of writing: it counts as missing.
    return undefined
  }
}
