import {setTimeout as sleep} from 'node:timers/promises'
import {expect, it} from 'vitest'
import {startNatsCluster} from '../../../support/nats-cluster.ts'
import {startCoordinator} from './coordinator.ts'
import {address, createSleepingSupervisor, subjects} from './sleeping-supervisor.ts'

it('answers each request once, with client, supervisor and coordinator at different servers of a cluster', async () => {
  await using cluster = await startNatsCluster()
  const [a, b, c] = cluster.servers
  if (!a || !b || !c) throw new Error('a cluster has three servers')
  await using supervisor = createSleepingSupervisor({connection: a.connection, idleMs: () => Math.random() * 3})
  await using coordinator = await startCoordinator(b.connection, {wake: supervisor.wake})
  await coordinator.standIn.take(address)
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
