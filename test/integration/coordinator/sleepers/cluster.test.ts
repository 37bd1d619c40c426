import {setTimeout as sleep} from 'node:timers/promises'
import {expect, it} from 'vitest'
import {createSleepEndpoints} from '../../../../src/coordinator/sleepers/endpoints.ts'
import {createStandIn} from '../../../../src/coordinator/sleepers/stand-in.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createNatsLink} from '../../../../src/messaging/link.ts'
import {registerService} from '../../../../src/messaging/services.ts'
import {startNatsCluster} from '../../../support/nats-cluster.ts'
import {address, clock, createSleepingSupervisor, subjects} from './sleeping-supervisor.ts'

it('answers each request once, with client, supervisor and coordinator at different servers of a cluster', async () => {
  await using cluster = await startNatsCluster()
  const [a, b, c] = cluster.servers
  if (!a || !b || !c) throw new Error('a cluster has three servers')
  await using supervisor = createSleepingSupervisor({connection: a.connection, idleMs: () => Math.random() * 3})
  await using link = createNatsLink({readConnection: async () => b.connection, name: () => 'coordinator', clock, logger: silentLogger})
  const standIn = createStandIn({
    node: 'n1',
    subjects,
    link,
    wake: supervisor.wake,
    exists: () => true,
    toRead: () => undefined,
    clock,
    logger: silentLogger,
  })
  link.onSession(async (connection) => {
    await registerService(connection, {
      name: 'tally-coordinator',
      version: '1.2.3',
      description: 'for a test',
      metadata: {},
      endpoints: createSleepEndpoints({node: 'n1', subjects, standIn}),
      logger: silentLogger,
    })
  })
  await link.connected()
  await standIn.take(address)
  const client = await c.connect()
  await sleep(1_000)
  const outcomes: Record<string, number> = {}
  await Promise.all(
    Array.from({length: 2_000}, async (_, n) => {
      await sleep(n * 10 + Math.random() * 5)
      const reply = await client.request(subjects.containerCommand(address, 'start'), JSON.stringify({n}), {timeout: 20_000}).then(
        () => 'answered',
        ({code}) => String(code),
      )
      outcomes[reply] = (outcomes[reply] ?? 0) + 1
    }),
  )
  expect(supervisor.lives).toBeGreaterThan(5)
  expect(outcomes).toEqual({answered: 2_000})
  expect(supervisor.done.toSorted((x, y) => x - y)).toEqual(Array.from({length: 2_000}, (_, n) => n))
  await client.close()
})
