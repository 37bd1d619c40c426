/** Three real nats-servers that are one cluster with JetStream, each to be killed and started again. */
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {toStreamName} from '../../src/messaging/stream.ts'
import {defaultPrefix} from '../../src/messaging/subjects.ts'
import {findFreePort, type NatsServer, startNatsServer} from './nats-server.ts'
import {makeTempDir} from './temp-dir.ts'

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[]
}

export async function startNatsCluster(): Promise<NatsCluster> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(makeTempDir())
  const members = await Promise.all(['a', 'b', 'c'].map(async (name) => ({name, route: await findFreePort()})))
  const routes = members.map(({route}) => `nats://127.0.0.1:${route}`).join(', ')
  const servers = await Promise.all(
    members.map(({name, route}) => {
      const storeDir = join(dir.path, name)
      mkdirSync(storeDir)
      const config = `server_name: ${name}\ncluster { name: test, listen: "127.0.0.1:${route}", routes: [${routes}] }`
      return startNatsServer({storeDir, config})
    }),
  )
  for (const server of servers) stack.use(server)
  await makeStream(servers)
  const kept = stack.move()
  return {servers, [Symbol.asyncDispose]: () => kept.disposeAsync()}
}

/** With a copy on each server: there is no leader at first. */
async function makeStream([server]: readonly NatsServer[]): Promise<void> {
  const connection = await server?.connect()
  if (!connection) throw new Error('a cluster has servers')
  const name = toStreamName({prefix: defaultPrefix})
  for (const giveUpAt = Date.now() + 30_000; ; await sleep(250)) {
    try {
      const manager = await connection.jetstreamManager()
      await manager.streams.add({name, subjects: [`${defaultPrefix}.evt.>`], num_replicas: 3, allow_direct: true})
      break
    } catch (error) {
      if (Date.now() > giveUpAt) throw error
    }
  }
  await connection.close()
}
