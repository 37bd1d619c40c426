/**
 * The embedded nats-server, kept running: started again when it ends, whoever's child it was, when it hangs, and when it cannot write.
 * While its disk is full it runs without JetStream, so that the node answers, and says why it can do no more.
 */
import type {NatsConnection} from 'nats'
import type {Logger} from '../../kernel/log.ts'
import {isFull, hasRoom} from '../../kernel/room.ts'
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

export interface ServerKeeper {
  readonly server: EmbeddedServer
  /** Looks after it until it is closed. */
  run(dependencies: RunDependencies): Promise<void>
  /** Ends the server. */
  close(): Promise<void>
}

export interface RunDependencies {
  readonly session: () => NatsConnection | undefined
  /** It is another one: at another port, perhaps. */
  readonly onStart: () => Promise<void>
}

/** Of its disk, in bytes. */
const room = {
  /** With less it is not run with JetStream: events come in pieces of a block each. */
  least: 128 * 1024,
  /** With so much it is run with it again. */
  enough: 512 * 1024,
} as const
const [lookMs, watchMs, answerMs] = [200, 1_000, 1_500]
/** So often without an answer it hangs: on a busy machine one may be late. */
const mostSilences = 3
/** One that hangs does not end when it is asked to. */
const stopPatienceMs = 1_500
/** Between two starts for the same reason. */
const againMs = 5_000

/** @throws TallyError NATS_NOT_FOUND, NATS_START_FAILED; HOST_EXHAUSTED when there is not even room for its configuration */
export async function openServerKeeper(options: EmbeddedServerOptions, logger: Logger): Promise<ServerKeeper> {
  const {dir, clock} = options
  let server = (await findEmbeddedServer(options)) ?? (await start())
  let closing = false
  let silences = 0
  let startedAt = 0

  return {
    get server() {
      return server
    },
    run: async (dependencies) => {
      for (let watchAt = 0; !closing; await clock.sleep(lookMs)) {
        try {
          if (!isAlive(server.process)) await restart('it has ended', dependencies)
          if (closing || clock.elapsed() < watchAt) continue
          const why = await findReason(dependencies)
          if (why !== undefined && !closing) await restart(why, dependencies)
          watchAt = clock.elapsed() + watchMs
        } catch (error) {
          logger.error({err: error}, 'cannot start nats-server; trying again')
          await clock.sleep(watchMs)
        }
      }
    },
    close: async () => {
      closing = true
      await stopEmbeddedServer(options)
    },
  }

  /** Why it is to be started again; undefined while it is as it should be. */
  async function findReason({session}: RunDependencies): Promise<string | undefined> {
    if (!server.jetStream) return (await hasRoom(dir, room.enough)) ? 'there is room again on its disk' : undefined
    if (await isFull(dir, room.least)) return 'its disk is full'
    const connection = session()
    const health = connection && (await askJetStream(connection, answerMs))
    silences = health === 'silent' && connection?.isClosed() === false ? silences + 1 : 0
    if (clock.elapsed() < startedAt + againMs) return undefined
    if (silences >= mostSilences) return 'it does not answer'
    if (health === 'off') return 'it has switched JetStream off'
    return (await hasWriteError(options)) ? 'it could not write' : undefined
  }

  async function restart(why: string, {onStart}: RunDependencies): Promise<void> {
    logger.error({natsPid: server.process.pid, why}, 'starting nats-server again')
    await stopEmbeddedServer({...options, stopPatienceMs})
    server = await start()
    silences = 0
    startedAt = clock.elapsed()
    await onStart()
  }

  async function start(): Promise<EmbeddedServer> {
    const jetStream = !(await isFull(dir, room.enough))
    if (!jetStream) logger.error({dir}, 'no room: nats-server is started without JetStream')
    return await startEmbeddedServer({...options, jetStream})
  }
}
