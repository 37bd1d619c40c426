/** Whether the node can have what it needs of NATS, found out before anything waits for it. */
import type {Clock} from '../../kernel/clock.ts'
import {type ErrorCode, toErrorBody} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import {connectToAny} from '../../messaging/connection.ts'
import {listServers} from '../../messaging/servers.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {ConnectionFile} from '../directories/connection-file.ts'
import type {EmbeddedNats} from './embedded-nats.ts'
import type {ExternalNats} from './external-nats.ts'
import {assertAlone} from './only-one.ts'
import type {StreamKeeper} from './stream-keeper.ts'

/** For all servers together: `up` waits a little longer, and prints the error. */
const patienceMs = 10_000
/** A former coordinator may have stopped the embedded server a moment before it was killed. */
const mend = {patienceMs: 5_000, retryMs: 200} as const
const mendable: ReadonlySet<ErrorCode> = new Set(['NATS_UNREACHABLE', 'JETSTREAM_UNAVAILABLE'])

export interface CheckNatsDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly connectionFile: Pick<ConnectionFile, 'write'>
  readonly streamKeeper: Pick<StreamKeeper, 'ensure'>
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

/** @throws TallyError of connecting, of the stream, or NODE_RUNNING */
export async function checkNats(nats: EmbeddedNats | ExternalNats, dependencies: CheckNatsDependencies): Promise<void> {
  return nats.type === 'embedded' ? await checkEmbedded(nats, dependencies) : await checkExternal(nats, dependencies)
}

/** The server of a node that has run may be away for longer than its coordinator may die: it is waited for. */
const againMs = 500

/** As `checkNats`, for a coordinator that is started after one that has died: without limit where no server can be reached. */
export async function checkNatsAgain(
  nats: EmbeddedNats | ExternalNats,
  {logger, ...dependencies}: CheckNatsDependencies & {readonly logger: Logger},
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await checkNats(nats, dependencies)
    } catch (error) {
      if (toErrorBody(error).code !== 'NATS_UNREACHABLE') throw error
      if (attempt === 1) logger.warn({err: error}, 'waiting for NATS')
      await dependencies.clock.sleep(againMs)
    }
  }
}

/** Without JetStream there is nothing to check: the node says why, and goes on when there is room on the disk. */
async function checkEmbedded(nats: EmbeddedNats, {node, connectionFile, streamKeeper, clock}: CheckNatsDependencies): Promise<void> {
  for (const giveUpAtMs = clock.elapsed() + mend.patienceMs; nats.trouble() === undefined; await clock.sleep(mend.retryMs)) {
    try {
      const {connection} = await connectToAny({...nats.access(), name: toName(node), patienceMs})
      await streamKeeper.ensure(connection).finally(() => connection.close())
      return
    } catch (error) {
      const {code} = toErrorBody(error)
      // The next coordinator must not find one running that misreads its store.
      if (code === 'STREAM_UNREADABLE') await nats.close()
      if (!mendable.has(code) || clock.elapsed() > giveUpAtMs) throw error
      if (await nats.startIfNeeded()) await connectionFile.write()
    }
  }
}

async function checkExternal(nats: ExternalNats, {node, subjects, connectionFile, streamKeeper}: CheckNatsDependencies): Promise<void> {
  const servers = listServers(nats.access())
  const {connection, server} = await connectToAny({...nats.access(), name: toName(node), patienceMs: patienceMs / servers.length})
  // Other processes are to try the one first that answers.
  nats.learn([server, ...servers])
  await connectionFile.write()
  await streamKeeper.ensure(connection)
  await assertAlone(connection, {subjects, node})
  await connection.close()
}

function toName(node: string): string {
  return `tally-coordinator ${node} check`
}
