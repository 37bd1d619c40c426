import {describe, expect, it} from 'vitest'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {useNode} from '../support/tally-node.ts'

const node = useNode()

const wholeLife = ['container.create-requested', 'container.created', 'container.start-requested', 'container.started', 'container.exited']

function statusOf(events: readonly LedgerEvent[]): unknown {
  return events.flatMap((event) => (event.type === 'container.exited' ? [event.data.exit] : []))
}

describe('50 containers at once', () => {
  it('have each its own exit status in ps, journal and stream, in order and without gaps', async () => {
    const statuses = Array.from({length: 50}, (_, index) => index)
    const ran = await Promise.all(
      statuses.map((status) =>
        node.tally('run', '-d', '--name', `c${status}`, '--rootfs', node.rootfs, '--', 'sh', '-c', `exit ${status}`),
      ),
    )
    expect(ran.filter(({exitCode}) => exitCode !== 0)).toEqual([])
    const waited = await node.tally('wait', ...statuses.map((status) => `c${status}`))
    expect(waited.stdout.trim().split('\n').map(Number)).toEqual(statuses)

    const views = new Map((await node.json<readonly ContainerView[]>('ps', '-a')).map((view) => [view.id, view]))
    const streamed = Map.groupBy(await node.events(), ({source}) => source.split('/').at(-1))
    for (const status of statuses) {
      const id = `c${status}`
      const exit = {type: 'code', code: status}
      const journaled = node.journal(id).map(parseLedgerEvent)
      expect(views.get(id)?.exit).toEqual(exit)
      expect(statusOf(journaled)).toEqual([exit])
      expect(streamed.get(id)).toEqual(journaled)
      expect(journaled.map(({type}) => type)).toEqual(wholeLife)
      expect(journaled.map(({sequence}) => sequence)).toEqual([1, 2, 3, 4, 5])
    }
    expect(await node.tally('rm', ...statuses.map((status) => `c${status}`))).toMatchObject({exitCode: 0, stderr: ''})
  })
})

describe('a container that ends in its first millisecond', () => {
  it('has started before it exited, with status 0, 200 times, four at a time', async () => {
    await using client = await connectTally({runDir: node.runDir})
    const live = async () => {
      const {id} = await client.create({rootfs: node.rootfs, args: ['true']})
      const container = client.container(id)
      await container.start()
      const {exit} = await container.wait()
      expect(exit).toEqual({type: 'code', code: 0})
      expect(node.journal(id).map((line) => parseLedgerEvent(line).type)).toEqual(wholeLife)
      await container.delete()
    }
    const liveAgainAndAgain = async () => {
      for (let round = 0; round < 50; round += 1) await live()
    }
    await Promise.all([1, 2, 3, 4].map(liveAgainAndAgain))
  })
})
