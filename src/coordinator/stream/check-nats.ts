/** Whether the node can have what it needs of NATS, found out before anything waits for it. */
import {toErrorBody} from '../../kernel/errors.ts'
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

export interface CheckNatsDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly connectionFile: Pick<ConnectionFile, 'write'>
  readonly streamKeeper: Pick<StreamKeeper, 'ensure'>
}

/** @throws TallyError of connecting, of the stream, or NODE_RUNNING */
export async function checkNats(
  nats: EmbeddedNats | ExternalNats,
  {node, subjects, connectionFile, streamKeeper}: CheckNatsDependencies,
): Promise<void> {
  const servers = listServers(nats.access())
  const name = `tally-coordinator ${node} check`
  const {connection, server} = await connectToAny({...nats.access(), name, patienceMs: patienceMs / servers.length})
  if (nats.type === 'external') {
    // Other processes are to try the one first that answers.
    nats.learn([server, ...servers])
    await connectionFile.write()
  }
  await streamKeeper.ensure(connection).catch(async (error: unknown) => {
    // The next coordinator must not find one running that misreads its store.
    if (nats.type === 'embedded' && toErrorBody(error).code === 'STREAM_UNREADABLE') await nats.close()
    throw error
  })
  if (nats.type === 'external') await assertAlone(connection, {subjects, node})
  await connection.close()
}
