import {describe, expect, it} from 'vitest'
import {type ContainerView, containerViewSchema, listReplySchema, logReplySchema} from '../../machines/views/view.ts'
import {type TopReply, topReplySchema} from '../../machines/views/top.ts'
import {connectTally, type TallyClient} from '../../src/client/index.ts'
import {launchFleet} from '../support/fleet.ts'
import {eventually, startNode} from '../support/tally-node.ts'

/** As a NATS client does that knows nothing of us. */
async function askPlainly(client: TallyClient, subject: string, request: object): Promise<unknown> {
  const reply = await client.connection.request(subject, JSON.stringify(request), {timeout: 60_000})
  return reply.json()
}

describe('five thousand containers', () => {
  it('are listed by the command line and the client, and page by page by anybody', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await using _fleet = await launchFleet(node, 5_000, 'n1')
    // They are in the stream alone, which the coordinator reads in its own time.
    const count = async () => (await node.tally('ps', '-q')).stdout.trimEnd().split('\n').length
    await eventually('all are known', async () => (await count()) === 5_000)
    expect(await client.list()).toHaveLength(5_000)
    const list = client.subjects.nodeCommand('n1', 'list')
    expect(await askPlainly(client, list, {})).toMatchObject({code: 'REPLY_TOO_LARGE', kind: 'invalid'})
    const names: string[] = []
    for (let after: string | undefined; ; ) {
      const {containers, next} = listReplySchema.parse(await askPlainly(client, list, {limit: 2_000, after}))
      names.push(...containers.map(({id}) => id))
      if (next === undefined) break
      after = next
    }
    expect(names).toEqual([...new Set(names)].toSorted())
    expect(names).toHaveLength(5_000)
    expect(await askPlainly(client, list, {limit: 3})).toMatchObject({next: `default/${names[2]}`})
  })
})

describe('containers with much of everything', () => {
  it('are listed, whatever their labels are', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    const labels = {note: 'x'.repeat(110_000)}
    for (let index = 0; index < 12; index += 1) await client.create({id: `c${index}`, rootfs: node.rootfs, args: ['true'], labels})
    const views = await node.json<readonly ContainerView[]>('ps', '-a')
    expect(views.map((view) => view.labels?.['note']?.length)).toEqual(Array.from({length: 12}, () => 110_000))
  })

  it('are shown with all their processes, and commands are answered', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'full', rootfs: node.rootfs, args: ['sleep', '1000']})
    const full = client.container('full')
    await full.start()
    const args = ['sh', '-c', 'sleep 1000; :', ...Array.from({length: 20}, () => 'x'.repeat(10_000))]
    const ids = Array.from({length: 8}, (_, index) => `exec-${index}`)
    for (const exec of ids) await full.addProcess({exec, args})
    const inspected = await node.json<ContainerView>('inspect', 'full')
    expect(inspected.execs?.map(({exec}) => exec)).toEqual(ids)
    expect((await node.tally('execs', 'full')).stdout.trimEnd().split('\n')).toHaveLength(ids.length + 1)
    const shown = await node.json<TopReply['processes']>('top', 'full')
    expect(shown.filter((process) => process.args.length > 2).map((process) => process.args.length)).toEqual(ids.map(() => args.length))
    // What cannot be answered in whole has been done nevertheless.
    await full.pause()
    await full.resume()
    expect(await full.state()).toMatchObject({state: 'running', execs: ids.map((exec) => expect.objectContaining({exec}))})
    await expectPages(client, ids)
    await full.delete({force: true})
  })
})

describe('a log of many empty lines', () => {
  it('is read to its end in the largest pages that may be asked for', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'lines', rootfs: node.rootfs, args: ['sh', '-c', 'yes "" | head -n 30000']})
    await client.container('lines').start()
    await client.container('lines').wait()
    const subject = client.subjects.containerCommand({node: client.node, namespace: 'default', id: 'lines'}, 'log')
    let count = 0
    for (let position = 0; ; ) {
      const page = logReplySchema.parse(await askPlainly(client, subject, {position, limitBytes: 512 * 1024}))
      count += page.entries.length
      position = page.next
      if (page.ended) break
    }
    expect(count).toBe(30_000)
  })
})

/** For a client that takes no chunks. */
async function expectPages(client: TallyClient, ids: readonly string[]): Promise<void> {
  const subject = (verb: 'state' | 'top' | 'pause' | 'resume') =>
    client.subjects.containerCommand({node: client.node, namespace: 'default', id: 'full'}, verb)
  expect(await askPlainly(client, subject('pause'), {})).toMatchObject({pausedAt: expect.any(String), nextExec: expect.any(String)})
  expect(await askPlainly(client, subject('resume'), {})).toMatchObject({state: 'running', nextExec: expect.any(String)})
  const first = containerViewSchema.parse(await askPlainly(client, subject('state'), {}))
  const rest = containerViewSchema.parse(await askPlainly(client, subject('state'), {execsFrom: first.nextExec}))
  expect([...(first.execs ?? []), ...(rest.execs ?? [])].map(({exec}) => exec)).toEqual(ids)
  expect(await askPlainly(client, subject('top'), {})).toMatchObject({code: 'REPLY_TOO_LARGE'})
  const {processes} = topReplySchema.parse(await askPlainly(client, subject('top'), {limit: 100}))
  expect(processes.filter(({argsCut}) => argsCut)).toHaveLength(ids.length)
  expect(topReplySchema.parse(await askPlainly(client, subject('top'), {limit: 2})).next).toBe(processes[1]?.pid)
}
