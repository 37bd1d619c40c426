/** The stream is deleted, purged and replaced by an old copy under a node that runs; and a journal loses its end. */
import {appendFileSync, cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {StreamAPI} from 'nats'
import {beforeAll, expect, test} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {connectTally} from '../../src/client/index.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const names = ['one', 'two', 'three'] as const
const node = useNode()
beforeAll(async () => {
  for (const name of names) await node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 1000')
})

async function manage(work: (streams: StreamAPI) => Promise<unknown>): Promise<void> {
  await using client = await connectTally({runDir: node.runDir})
  await work((await client.connection.jetstreamManager()).streams)
}

const sequencesOf = (events: readonly LedgerEvent[]) => events.map(({sequence}) => sequence)
const journaled = (id: string) =>
  node
    .journal(id)
    .filter((line) => line.endsWith('}'))
    .map((line): {sequence: number; type: string} => JSON.parse(line))

/** The stream has what the journals have, each once, in order; and what is listed follows from that. */
async function expectWhole(timeoutMs = 60_000): Promise<void> {
  await eventually(
    'the stream is whole',
    async () => {
      const streamed = await Promise.all(names.map((id) => node.events(id).catch(() => [])))
      return names.every(
        (id, index) => JSON.stringify(sequencesOf(streamed[index] ?? [])) === JSON.stringify(journaled(id).map(({sequence}) => sequence)),
      )
    },
    timeoutMs,
  )
  await eventually('all are listed', async () => (await node.json<ContainerView[]>('ps', '-a')).length === names.length)
  expect(
    (await node.json<ContainerView[]>('ps', '-a'))
      .map(({id, state, exit}) => `${id} ${state}${exit ? ` ${JSON.stringify(exit)}` : ''}`)
      .sort(),
  ).toEqual(names.map((id) => `${id} running`).sort())
}

test('a stream that is deleted is there again within seconds, whole, and every ledger says so', async () => {
  await manage((streams) => streams.delete('TALLY_EVENTS'))
  await eventually('the journals say so', () =>
    names.every((id) => journaled(id).some(({type}) => type === 'io.tallyman.supervisor.republished')),
  )
  await expectWhole(5_000)
  const said = (await node.events('one')).filter(({type}) => type === 'supervisor.republished')
  expect(said).toMatchObject([{data: {from: 1, missing: 4, removed: 0}}])
})

test('a purged stream is whole again after the next event of each, or a minute', async () => {
  await manage((streams) => streams.purge('TALLY_EVENTS'))
  await node.tally('kill', '-s', 'WINCH', 'one', 'two')
  await expectWhole()
})

test('a reader that follows sees every event once, over a deletion and a restart with an old copy of the stream', async () => {
  const follower = node.spawn('events', '--json', '--filter', 'namespace=default')
  const seen: string[] = []
  follower.stdout.on('data', (chunk: Buffer) =>
    seen.push(
      ...chunk
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).id),
    ),
  )
  const all = () => names.flatMap((id) => node.journal(id).map((line): string => JSON.parse(line).id)).sort()
  let end: string | undefined
  follower.then(({exitCode, stderr}) => {
    end = `${exitCode}: ${stderr}`
  })
  const compare = () => ({missing: all().filter((id) => !seen.includes(id)), doubled: seen.length - new Set(seen).size, end})
  const follows = () => expect.poll(compare, {timeout: 60_000}).toEqual({missing: [], doubled: 0, end: undefined})
  await follows()
  await manage((streams) => streams.delete('TALLY_EVENTS'))
  await expectWhole()
  await follows()

  await node.tally('down')
  const [store, copy] = [join(node.stateDir, 'nats'), join(node.dir, 'copy')]
  cpSync(store, copy, {recursive: true})
  await node.tally('up', '-d')
  await node.tally('kill', '-s', 'WINCH', 'one')
  await node.tally('kill', '-s', 'WINCH', 'three')
  await expectWhole()
  await follows()
  await node.tally('down')
  rmSync(store, {recursive: true})
  cpSync(copy, store, {recursive: true})
  await node.tally('up', '-d')
  await expectWhole()
  await follows()
  follower.kill('SIGINT')
  await follower
  expect(new Set(seen).size).toBe(seen.length)
})

test('a journal that has lost its end takes it back from the stream when its container is taken over', async () => {
  await node.tally('kill', '-s', 'WINCH', 'two')
  const before = node.journal('two')
  const view = (await node.json<ContainerView[]>('ps')).find(({id}) => id === 'two')
  const info = await node.info()
  const {supervisorPid} = await node.json<ContainerView>('inspect', 'two')
  killNode(info)
  sendSignal(supervisorPid, 'SIGKILL')
  const file = join(node.stateDir, 'containers/default/two/journal.jsonl')
  writeFileSync(file, `${before.slice(0, -2).join('\n')}\n`)
  // And half a line, as a power cut leaves it.
  appendFileSync(file, before.at(-2)?.slice(0, 40) ?? '')
  await node.tally('up', '-d')
  await eventually('it is adopted', () => journaled('two').some(({sequence}) => sequence === before.length + 1))
  expect(readFileSync(file, 'utf8').startsWith(`${before.join('\n')}\n`)).toBe(true)
  const adopted = JSON.parse(node.journal('two')[before.length] ?? '')
  expect(adopted).toMatchObject({
    type: 'io.tallyman.supervisor.adopted',
    data: {takenBack: 2, tornBytes: 40},
  })
  await expectWhole()
  expect((await node.json<ContainerView[]>('ps')).find(({id}) => id === 'two')?.pid).toBe(view?.pid)
})

test('a gap that was not noticed is filled when a supervisor is asked to compare', async () => {
  await using client = await connectTally({runDir: node.runDir})
  const streams = (await client.connection.jetstreamManager()).streams
  const {seq} = await streams.getMessage('TALLY_EVENTS', {
    last_by_subj: client.subjects.event(client.container('two').address, 'container.started'),
  })
  await streams.deleteMessage('TALLY_EVENTS', seq)
  expect(sequencesOf(await node.events('two'))).not.toContain(4)
  const {published} = await client.container('two').republish()
  expect(published).toBeGreaterThan(4)
  await expectWhole()
})
