/** Output is published while somebody asks for it, and whoever follows it hears of all of it. */
import {once} from 'node:events'
import {setTimeout as sleep} from 'node:timers/promises'
import type {Msg} from 'nats'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {connectTally, followOutput, type ProcessClient, type TallyClient} from '../../src/client/index.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, useNode} from '../support/tally-node.ts'

const node = useNode()
let client: TallyClient
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
})
afterAll(() => client[Symbol.asyncDispose]())

/** Prints a line every 50 ms; exits with 3 when it is told to, or after so many lines. */
const counting = (count = 1_000_000) =>
  `trap 'exit 3' TERM; i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; sleep 0.05; done; exit 3`

interface Heard {
  readonly offset: number
  readonly bytes: number
  readonly isEnd: boolean
}

async function subscribe(subject: string): Promise<readonly Heard[]> {
  const heard: Heard[] = []
  client.connection.subscribe(subject, {callback: (_, message) => heard.push(toHeard(message))})
  await client.connection.flush()
  return heard
}

function toHeard({headers, data}: Msg): Heard {
  return {
    offset: Number(headers?.get('Tally-Offset')),
    bytes: data.length,
    isEnd: headers?.get('Tally-Eof') === '1',
  }
}

/** The offset behind the last of them, if each begins where the one before has ended. */
function toEnd(heard: readonly Heard[]): number | undefined {
  const isWhole = heard.every(({offset}, index) => {
    const before = heard[index - 1]
    return !before || offset === before.offset + before.bytes
  })
  const last = heard.at(-1)
  return isWhole && last ? last.offset + last.bytes : undefined
}

async function start(id: string, script: string) {
  await client.create({id, rootfs: node.rootfs, args: ['sh', '-c', script]})
  const container = client.container(id)
  await container.start()
  return container
}

async function hasPrinted(process: ProcessClient): Promise<void> {
  await eventually('it prints', async () => (await process.output('stdout', 0)).total > 20)
}

describe('output that is subscribed to', () => {
  it('is published from the total of the reply on, for as long as was asked; its end always', async () => {
    const id = 'heard'
    const address = {node: 'n1', namespace: 'default', id}
    const [stdout, stderr] = [
      await subscribe(client.subjects.log(address, 'stdout')),
      await subscribe(client.subjects.log(address, 'stderr')),
    ]
    const container = await start(id, counting())
    await hasPrinted(container)
    await sleep(300)
    expect(stdout).toEqual([])

    const {total} = await container.output('stdout', 0, {watchMs: 1_500})
    await sleep(1_000)
    expect(stdout.at(0)?.offset).toBe(total)
    expect(toEnd(stdout)).toBeGreaterThan(total + 50)
    await sleep(1_000)
    const before = stdout.length
    await sleep(500)
    expect(stdout).toHaveLength(before)

    const {end} = await container.log({tail: 0}, {watchMs: 1_000})
    expect(end).toBeGreaterThan(0)
    await eventually('more', () => stdout.length > before)
    await sleep(1_300)

    await container.stop()
    await eventually('the end of both', () => stdout.at(-1)?.isEnd === true && stderr.length === 1)
    expect(stdout.at(-1)).toMatchObject({offset: (await container.output('stdout', 0)).total, bytes: 0})
    expect(stderr).toMatchObject([{offset: 0, isEnd: true}])
    await container.delete()
  })

  it('of an added process is asked for by its id, and is not that of the container', async () => {
    const container = await start('host', counting())
    const [own, added] = [
      await subscribe(client.subjects.log(container.address, 'stdout')),
      await subscribe(client.subjects.io(container.address, 'second', 'stdout')),
    ]
    await container.addProcess({exec: 'second', args: ['sh', '-c', counting()]})
    const second = container.process('second')
    await hasPrinted(second)
    await expect(container.process('third').output('stdout', 0, {watchMs: 5_000})).rejects.toMatchObject({code: 'EXEC_NOT_FOUND'})
    expect(added).toEqual([])
    await second.output('stdout', 0, {watchMs: 5_000})
    await eventually('that of the process', () => added.length > 3)
    expect(own).toEqual([])
    await container.delete({force: true})
  })
})

describe('a follower', () => {
  it('of a process that is never silent hears it as it is written, beyond the time it has asked for', async () => {
    const container = await start('busy', counting())
    const heard = await subscribe(client.subjects.log(container.address, 'stdout'))
    const follower = followOutput(client, container, {stream: 'stdout', onBytes: () => {}})
    await sleep(14_000)
    // Nothing is left out.
    expect(toEnd(heard)).toBeDefined()
    follower[Symbol.dispose]()
    await follower.ended
    await sleep(11_000)
    const before = heard.length
    await sleep(500)
    expect(heard).toHaveLength(before)
    await container.delete({force: true})
  })

  it('gets each byte once when the supervisor is killed, and then hears the next one', async () => {
    const count = 100
    const container = await start('orphan', counting(count))
    const heard = await subscribe(client.subjects.log(container.address, 'stdout'))
    const pieces: Uint8Array[] = []
    using follower = followOutput(client, container, {stream: 'stdout', onBytes: (bytes) => void pieces.push(bytes)})
    await eventually('it is heard', () => heard.length > 5)
    const former = findSupervisor(node, 'orphan')
    sendSignal(former, 'SIGKILL')
    await eventually('another supervises', () => ![undefined, former].includes(findSupervisor(node, 'orphan')))
    const before = heard.length
    await eventually('it is heard again', () => heard.length > before + 3, 4_000)
    await follower.ended
    expect(Buffer.concat(pieces).toString()).toBe(Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join(''))
    expect(follower.position).toBe(Buffer.concat(pieces).length)
    await container.delete()
  })

  it('that comes late gets what was written before it, and the end of what has ended', async () => {
    const container = await start('late', 'seq 1 100000')
    await container.wait()
    const pieces: Uint8Array[] = []
    using follower = followOutput(client, container, {stream: 'stdout', onBytes: (bytes) => void pieces.push(bytes)})
    await follower.ended
    expect(Buffer.concat(pieces).toString()).toBe(Array.from({length: 100_000}, (_, index) => `${index + 1}\n`).join(''))
    await container.delete()
  })
})

describe('a container that removes itself', () => {
  const lines = (count: number) => Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join('')
  const runRemoved = (id: string, count: number) =>
    node.tally('run', '-d', '--rm', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', counting(count))

  it('waits until logs -f and attach have its last line, and no longer', async () => {
    expect(await runRemoved('brief', 60)).toMatchObject({exitCode: 0})
    expect(await node.tally('logs', '-f', 'brief')).toEqual({exitCode: 0, stdout: lines(60), stderr: ''})
    await eventually('it is gone', async () => (await node.tally('inspect', 'brief')).exitCode !== 0, 5_000)
    expect(await runRemoved('joined', 60)).toMatchObject({exitCode: 0})
    const {exitCode, stdout} = await node.tally('attach', '--no-stdin', 'joined')
    expect([exitCode, lines(60).endsWith(stdout), stdout.endsWith('line 60\n')]).toEqual([3, true, true])
    await eventually('it is gone', async () => (await node.tally('inspect', 'joined')).exitCode !== 0, 5_000)
  })

  it('does so while the node is down', async () => {
    await using other = await startNode()
    for (const count of [60, 160]) {
      const id = `for-${count}`
      await other.tally('run', '-d', '--rm', '--name', id, '--rootfs', other.rootfs, '--', 'sh', '-c', counting(count))
      const [followed, attached] = [other.spawn('logs', '-f', id), other.spawn('attach', '--no-stdin', id)]
      for (const {stdout} of [followed, attached]) if (stdout) await once(stdout, 'data')
      await other.tally('down')
      // It ends meanwhile, or just after.
      await sleep(2_500)
      await other.up()
      const {exitCode, stdout} = await followed
      expect([exitCode, `${stdout}\n`]).toEqual([0, lines(count)])
      const rest = await attached
      expect([rest.exitCode, rest.stderr]).toEqual([3, expect.stringContaining('connected again')])
      expect(lines(count).endsWith(`${rest.stdout}\n`)).toBe(true)
    }
  })
})
