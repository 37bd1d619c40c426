import {mkdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {expect, it} from 'vitest'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import {type ContainerAddress, toSource} from '../../../../machines/ledger/ids.ts'
import {readJournals} from '../../../../src/coordinator/ledgers/journals.ts'
import {createMetrics} from '../../../../src/coordinator/metrics/metrics.ts'
import {createProjection} from '../../../../src/coordinator/ledgers/projection.ts'
import {openFileJournal} from '../../../../src/journal/file-journal.ts'
import {createSystemClock} from '../../../../src/kernel/clock.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createNatsLink} from '../../../../src/messaging/link.ts'
import {ensureEventStream, lastStreamSequence} from '../../../../src/messaging/stream.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {readSupervisorStates} from '../../../../src/coordinator/supervision/supervisor-states.ts'
import type {ShimStatus} from '../../../../src/shim/client/control.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'
import {connection, publish, server, subjects} from '../../messaging/stream-fixture.ts'

const address: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
const shimStatus: ShimStatus = {
  protocol: 1,
  phase: 'up',
  leaving: 'stays',
  pid: undefined,
  starts: 1,
  deaths: 0,
  last: undefined,
  startAtMs: undefined,
  deadlineMs: undefined,
  watched: 1,
  ended: 0,
  stdios: 1,
}
const events = readFileSync(join(import.meta.dirname, '../../../fixtures/journals/0.1.0/whole-life.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(parseLedgerEvent)
  .map((event) => ({...event, source: toSource(address)}))
  .slice(0, 5)

it('tell what the stream has and what the journals have beyond it, also without NATS', async () => {
  await using dir = makeTempDir()
  const clock = createSystemClock()
  const logger = silentLogger
  const directories = {stateDir: join(dir.path, 'state'), runDir: join(dir.path, 'run')}
  const {journal: file} = toContainerLayout(directories, address, '')
  mkdirSync(dirname(file), {recursive: true})
  const journal = openFileJournal(file)
  for (const event of events) journal.append(event)
  await ensureEventStream(connection, subjects)
  await publish(...events.slice(0, 3))

  await using link = createNatsLink({
    readConnection: async () => server.connection,
    name: () => 'metrics',
    clock,
    logger,
  })
  const projection = createProjection({link, subjects, clock, logger, reader: 'coordinator-n1'})
  const standIn = {sleeping: 0, waking: 0, heldRequests: 0, heldBytes: 0, woken: 0}
  let phase: 'asleep' | undefined
  let isStoodInFor = false
  const metrics = createMetrics({
    node: 'n1',
    version: '1',
    ledgers: () => projection.ledgers,
    readJournals: () =>
      readJournals(directories, {
        node: 'n1',
        ledgers: projection.ledgers,
        toState: readSupervisorStates({
          directories,
          status: () => phase && {...shimStatus, phase},
          isStoodInFor: () => isStoodInFor,
          find: () => undefined,
        }),
      }),
    supervisorCounts: {starts: 0, deaths: 0},
    readStandIn: () => standIn,
    isConnected: () => link.session() !== undefined,
    startedAt: 0,
    coordinatorRestarts: 0,
    caughtUp: async () => {
      const session = await link.connected()
      await projection.caughtUp(session)
      return projection.streamSequence >= (await lastStreamSequence(session, subjects))
    },
  })
  projection.observe(metrics.observer)
  const lines = async () => (await metrics.render()).split('\n')

  expect(await lines()).toEqual(expect.arrayContaining(['tally_supervisors 1', 'tally_outbox_lag_events 2', 'tally_nats_connected 1']))
  expect((await lines()).filter((line) => line.startsWith('tally_events_total'))).toHaveLength(3)
  journal[Symbol.dispose]()
  await publish(...events.slice(3))
  await projection.caughtUp(connection)
  expect(await lines()).toEqual(expect.arrayContaining(['tally_supervisors 0', 'tally_supervisors_missing 1', 'tally_outbox_lag_events 0']))
  phase = 'asleep'
  expect(await lines()).toEqual(expect.arrayContaining(['tally_supervisors 1', 'tally_supervisors_missing 0']))
  phase = undefined
  isStoodInFor = true
  expect(await lines()).toEqual(expect.arrayContaining(['tally_supervisors 0', 'tally_supervisors_missing 0']))
  isStoodInFor = false
  await server.kill()
  while (link.session()) await clock.sleep(20)
  expect(await lines()).toEqual(expect.arrayContaining(['tally_nats_connected 0', 'tally_supervisors_missing 1']))
})
