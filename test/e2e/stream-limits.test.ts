/** A stream with limits drops events: commands go on without them, and whatever lacks history says so. */
import type {StreamAPI} from 'nats'
import {expect, test} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import type {Story} from '../../machines/story/story.ts'
import {connectTally} from '../../src/client/index.ts'
import type {StreamStanding} from '../../src/messaging/stream-limits.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({args: ['--stream-max-age', '1d', '--http', 'off']})

async function manage(work: (streams: StreamAPI) => Promise<unknown>): Promise<void> {
  await using client = await connectTally({runDir: node.runDir})
  await work((await client.connection.jetstreamManager()).streams)
}

function show(): Promise<StreamStanding> {
  return node.json<StreamStanding>('stream', 'show')
}

test('a container whose beginning the stream has dropped is known to its node, commanded and explained from there on', async () => {
  const run = (id: string, ...args: readonly string[]) => node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', ...args)
  expect(await run('lives', 'sleep', '1000')).toMatchObject({exitCode: 0})
  expect(await run('gone', 'true')).toMatchObject({exitCode: 0})
  await node.tally('wait', 'gone')
  expect(await node.tally('rm', 'gone')).toMatchObject({exitCode: 0})
  const {lastSequence: dropped} = await show()
  expect(await node.tally('kill', '-s', 'CONT', 'lives')).toMatchObject({exitCode: 0})
  // As age does it.
  await manage((streams) => streams.purge('TALLY_EVENTS', {seq: dropped + 1}))
  const kept = (await node.events('lives')).map(({sequence}) => sequence)
  expect(kept[0]).toBeGreaterThan(1)

  // Another coordinator has the stream alone to begin with.
  await node.tally('down')
  expect(await node.tally('up', '-d', '--http', 'off')).toMatchObject({exitCode: 0})
  expect(await node.json<ContainerView[]>('ps', '-a')).toMatchObject([{id: 'lives', state: 'running', args: ['sleep', '1000']}])
  expect(await node.tally('kill', '-s', 'CONT', 'lives')).toMatchObject({exitCode: 0})
  expect(await node.json<ContainerView[]>('ps', '-a')).toMatchObject([{id: 'lives', eventCount: node.journal('lives').length}])

  const [first] = await node.events('lives')
  expect(first?.sequence).toBe(kept[0])
  expect(await node.json<Story>('explain', 'lives')).toMatchObject({knownSince: first?.time})
  expect((await node.tally('explain', 'lives')).stdout).toContain(`known from ${first?.time} on`)
  expect((await node.tally('explain', 'gone')).stderr).toMatch(/\[CONTAINER_NOT_FOUND\]/)
  expect(await node.tally('fsck')).toMatchObject({exitCode: 0, stdout: 'node n1: everything agrees\n'})
})

test('limits survive a start that does not name them, and a stream that is made again', async () => {
  expect((await show()).limits).toEqual({replicas: 1, maxAgeMs: 86_400_000, maxBytes: 0})
  expect(await node.tally('stream', 'set', '--max-bytes', '50m', '--max-age', '2h')).toMatchObject({exitCode: 0, stderr: ''})
  const wanted = {replicas: 1, maxAgeMs: 7_200_000, maxBytes: 50 * 1024 ** 2}
  expect((await show()).limits).toEqual(wanted)
  const before = (await show()).created
  await manage((streams) => streams.delete('TALLY_EVENTS'))
  await eventually('it is there again as it was', async () => {
    const {exitCode, stdout} = await node.tally('stream', 'show', '--json')
    if (exitCode !== 0) return false
    const {created, limits}: StreamStanding = JSON.parse(stdout)
    return created !== before && JSON.stringify(limits) === JSON.stringify(wanted)
  })
  await eventually('it has the journal again', async () => (await node.events('lives')).length === node.journal('lives').length)
})

test('of two that set different limits at once, neither undoes what the other has set', async () => {
  for (const round of [1, 2, 3, 4]) {
    const set = await Promise.all([
      node.tally('stream', 'set', '--max-age', `${round + 2}h`),
      node.tally('stream', 'set', '--max-bytes', `${round + 50}m`),
    ])
    expect(set).toMatchObject([{exitCode: 0}, {exitCode: 0}])
    expect((await show()).limits).toEqual({replicas: 1, maxAgeMs: (round + 2) * 3_600_000, maxBytes: (round + 50) * 1024 ** 2})
  }
})

test.each([
  ['--max-age', '5s', /expected a duration of at least 2m/],
  ['--max-bytes', 'much', /expected a size/],
  ['--replicas', '6', /from 1 to 5/],
])('stream set %s %s is refused', async (flag, value, message) => {
  expect(await node.tally('stream', 'set', flag, value)).toMatchObject({exitCode: 2, stderr: expect.stringMatching(message)})
})

test('stream set without anything to set is refused', async () => {
  expect(await node.tally('stream', 'set')).toMatchObject({exitCode: 2, stderr: expect.stringMatching(/at least one of/)})
})
