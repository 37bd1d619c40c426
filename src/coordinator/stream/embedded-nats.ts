/**
 * The embedded nats-server: found or started, and started again when it ends, whichever process its parent is, when it hangs, and when it
 * cannot write. While its disk is full it runs without JetStream, so that the node answers, and says why it can do no more.
 */
import {dirname} from 'node:path'
import type {NatsConnection} from 'nats'
import type {Logger} from '../../kernel/log.ts'
import {hasRoom, isFull} from '../../kernel/room.ts'
import {isAlive} from '../../linux/process-table.ts'
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  findEmbeddedServer,
  hasWriteError,
  startEmbeddedServer,
  stopEmbeddedServer,
} from '../../messaging/embedded-server.ts'
import {askJetStream} from '../../messaging/jetstream.ts'
import type {NatsAccess} from '../../messaging/servers.ts'
import type {Observation} from './server-policy.ts'
import {watchServer} from './watch-server.ts'

export interface EmbeddedNats {
  readonly type: 'embedded'
  access(): NatsAccess
  pid(): number
  /** Why JetStream cannot be used, where that is known without asking the server. */
  trouble(): string | undefined
  /** Starts the server if it has ended, or again if its disk has become full. @returns whether it did */
  startIfNeeded(): Promise<boolean>
  /** Looks after the server until the signal is aborted. */
  run(dependencies: RunDependencies): void
  /** Ends the server, when nothing is under way with it any more. */
  close(): Promise<void>
}

export interface RunDependencies {
  readonly session: () => NatsConnection | undefined
  /** It was started again: perhaps at another port. */
  readonly onStart: () => Promise<void>
  readonly signal: AbortSignal
}

/** On its disk, in bytes. */
const room = {
  /** With less it runs without JetStream: events are written in blocks. */
  least: 128 * 1024,
  /** With that much it runs with JetStream again. */
  enough: 512 * 1024,
} as const
const answerMs = 1_500
/** A server that hangs does not end when it is asked to. */
const stopPatienceMs = 1_500

/** @throws TallyError NATS_NOT_FOUND, NATS_START_FAILED; HOST_EXHAUSTED when there is not even room for its configuration */
export async function openEmbeddedNats(options: EmbeddedServerOptions, logger: Logger): Promise<EmbeddedNats> {
  const {dir, clock} = options
  let server = (await findEmbeddedServer(options)) ?? (await start())
  let watching = Promise.resolve()

  return {
    type: 'embedded',
    access: () => ({url: server.url, credentials: server.credentials}),
    pid: () => server.process.pid,
    trouble: () =>
      server.jetStream ? undefined : `there is no room on the disk of ${dirname(dir)}: the node goes on by itself when there is`,
    startIfNeeded: async () => {
      if (isAlive(server.process) && !(server.jetStream && (await isFull(dir, room.least)))) return false
      await stopEmbeddedServer({...options, stopPatienceMs})
      server = await start()
      return true
    },
    run: ({session, onStart, signal}) => {
      watching = watchServer({
        isAlive: () => isAlive(server.process),
        observe: () => observe(session),
        restart: async (why) => {
          logger.error({natsPid: server.process.pid, why}, 'starting nats-server again')
          await stopEmbeddedServer({...options, stopPatienceMs})
          server = await start()
          await onStart()
        },
        clock,
        logger,
        signal,
      })
    },
    close: async () => {
      await watching
      await stopEmbeddedServer(options)
    },
  }

  async function observe(session: () => NatsConnection | undefined): Promise<Exclude<Observation, {readonly type: 'ended'}>> {
    if (!server.jetStream) return {type: 'without-jetstream', disk: (await hasRoom(dir, room.enough)) ? 'has-room' : 'full'}
    if (await isFull(dir, room.least)) return {type: 'disk-full'}
    const connection = session()
    const answer = connection && (await askJetStream(connection, answerMs))
    const health = answer === undefined || (answer === 'silent' && connection?.isClosed()) ? 'unknown' : answer
    return {type: 'asked', health, couldWrite: !(await hasWriteError(options))}
  }

  async function start(): Promise<EmbeddedServer> {
    const jetStream = !(await isFull(dir, room.enough))
    if (!jetStream) logger.error({dir}, 'no room: nats-server is started without JetStream')
    return await startEmbeddedServer({...options, jetStream})
  }
}
