/** Three real nats-servers in one cluster with JetStream. Each can be killed, and started again. */
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {toStreamName} from '../../src/messaging/stream.ts'
import {defaultPrefix} from '../../src/messaging/subjects.ts'
import {findFreePort} from './free-port.ts'
import {type NatsServer, startNatsServer} from './nats-server.ts'
import {makeTempDir} from './temp-dir.ts'

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[]
}

/** @param options `stream`: make the stream of events, with three copies, before any node does */
export async function startNatsCluster({stream = true}: {readonly stream?: boolean} = {}): Promise<NatsCluster> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(makeTempDir())
  const members = await Promise.all(['a', 'b', 'c'].map(async (name) => ({name, route: await findFreePort()})))
  const routes = members.map(({route}) => `nats://127.0.0.1:${route}`).join(', ')
  const servers = await Promise.all(
    members.map(({name, route}) => {
      const storeDir = join(dir.path, name)
      mkdirSync(storeDir)
      const config = `server_name: ${name}\ncluster { name: test, listen: "127.0.0.1:${route}", routes: [${routes}] }`
      return startNatsServer({storeDir, config, isMember: true})
    }),
  )
  for (const server of servers) stack.use(server)
  await makeStream(servers, stream)
  const kept = stack.move()
  return {servers, [Symbol.asyncDispose]: () => kept.disposeAsync()}
}

/** With a copy on each server. Retried, since the servers elect a leader first. */
async function makeStream([server]: readonly NatsServer[], isKept: boolean): Promise<void> {
  const connection = await server?.connect()
  if (!connection) throw new Error('a cluster has servers')
  // A stream that is made under the name of a deleted one may not survive the death of a server (2.9).
  const prefix = isKept ? defaultPrefix : 'probe'
  const name = toStreamName({prefix})
  for (const giveUpAt = Date.now() + 60_000; ; await sleep(250)) {
    try {
      const manager = await connection.jetstreamManager()
      await manager.streams.add({name, subjects: [`${prefix}.evt.>`], num_replicas: 3, allow_direct: true})
      if (!isKept) await manager.streams.delete(name)
      break
    } catch (error) {
      if (Date.now() > giveUpAt) throw error
    }
  }
  await connection.close()
}
