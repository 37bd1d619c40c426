import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {isCriuThere} from '../support/criu.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const counting = ['sh', '-c', 'echo made > /made; i=0; while true; do i=$((i+1)); echo $i; done']

const lines = async (node: TallyNode, id: string) => (await node.tally('logs', id)).stdout.split('\n').filter(Boolean).map(Number)
const count = async (node: TallyNode, id: string) => Number((await node.tally('logs', '--tail', '1', id)).stdout)
const types = async (node: TallyNode, id: string) => (await node.events(id)).map(({type}) => type)

describe.skipIf(isCriuThere)('a checkpoint where criu is missing or cannot work', () => {
  it('is unavailable, says why, and leaves the container alone', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'c', '--rootfs', node.rootfs, '--', 'sleep', '600')
    const image = join(node.dir, 'image')
    expect(await node.tally('checkpoint', 'c', image)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^tally: this host cannot checkpoint or restore: criu .* \[CRIU_UNAVAILABLE\]\n$/),
    })
    expect((await types(node, 'c')).slice(-2)).toEqual(['container.checkpoint-requested', 'container.checkpoint-failed'])
    expect(await node.json<ContainerView>('inspect', 'c')).toMatchObject({state: 'running', error: {code: 'CRIU_UNAVAILABLE'}})
  })
})

describe('a restore from what is no checkpoint', () => {
  it('is refused, and makes nothing', async () => {
    await using node = await startNode()
    const image = join(node.dir, 'image')
    for (const spoil of [() => {}, () => mkdirSync(image), () => writeFileSync(join(image, 'tally.json'), '{"version": 9}')]) {
      spoil()
      expect(await node.tally('restore', image)).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[CHECKPOINT_INVALID]')})
    }
    expect(await node.json('ps', '-a')).toEqual([])
  })
})

describe.skipIf(!isCriuThere)('a checkpoint', () => {
  it('is gone on from in another container, with its changes, and without a line missing or doubled', async () => {
    await using node = await startNode()
    const [first, second] = [join(node.dir, 'first'), join(node.dir, 'second')]
    await node.tally('run', '-d', '--name', 'a', '--rootfs', node.rootfs, '--', ...counting)
    await eventually('it counts', async () => (await count(node, 'a')) > 1_000)
    expect(await node.tally('checkpoint', 'a', first)).toMatchObject({exitCode: 0, stdout: `${first}\n`})
    expect((await types(node, 'a')).slice(-3)).toEqual(['container.checkpoint-requested', 'container.checkpointed', 'container.exited'])
    expect((await node.tally('ps', '-a')).stdout).toContain('Checkpointed')

    expect(await node.tally('restore', '--name', 'b', first)).toMatchObject({exitCode: 0, stdout: 'b\n'})
    expect((await node.tally('exec', 'b', 'cat', '/made')).stdout).toBe('made\n')
    await node.tally('pause', 'b')
    expect(await node.tally('checkpoint', 'b', second)).toMatchObject({exitCode: 0})
    expect(await node.tally('restore', '--name', 'c', second)).toMatchObject({exitCode: 0})
    await node.tally('kill', 'c')
    expect((await node.tally('wait', 'c')).stdout).toBe('137\n')
    const all = [...(await lines(node, 'a')), ...(await lines(node, 'b')), ...(await lines(node, 'c'))]
    expect(all.findIndex((line, index) => line !== index + 1)).toBe(-1)
  })

  it('leaves running what is to go on, and refuses a directory with something in it', async () => {
    await using node = await startNode()
    const image = join(node.dir, 'image')
    await node.tally('run', '-d', '--name', 'a', '--rootfs', node.rootfs, '--', ...counting)
    expect(await node.tally('checkpoint', '--leave-running', 'a', image)).toMatchObject({exitCode: 0})
    const before = await count(node, 'a')
    await eventually('it goes on', async () => (await count(node, 'a')) > before)
    expect(await node.tally('checkpoint', 'a', image)).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[CHECKPOINT_INVALID]')})
    expect(await node.json<ContainerView>('inspect', 'a')).toMatchObject({state: 'running', checkpoint: {image, leaveRunning: true}})
  })

  it('has input and terminals given to those of the container that goes on', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    const image = (id: string) => join(node.dir, id)
    await client.create({id: 'reads', rootfs: node.rootfs, args: ['cat'], stdin: true})
    await client.create({id: 'shell', rootfs: node.rootfs, args: ['sh'], stdin: true, terminal: true})
    for (const id of ['reads', 'shell']) {
      await client.container(id).start()
      await client.container(id).checkpoint({image: image(id)})
      await client.restore({image: image(id), id: `${id}2`})
      expect(await client.container(`${id}2`).start()).toMatchObject({state: 'running', stdin: true})
    }
    const attached = node.spawn('attach', 'reads2')
    attached.stdin.end('through the second\n')
    expect(await attached).toMatchObject({exitCode: 0, stdout: 'through the second'})
    const session = node.spawn('attach', 'shell2')
    session.stdin.end('exit 5\n')
    expect((await client.container('shell2').wait()).exit).toEqual({type: 'code', code: 5})
  })

  it('that is damaged fails the start, says why, and can be tried again', async () => {
    await using node = await startNode()
    const image = join(node.dir, 'image')
    const [pages, away] = [join(image, 'pages-1.img'), join(node.dir, 'pages')]
    await node.tally('run', '-d', '--name', 'a', '--rootfs', node.rootfs, '--', ...counting)
    await node.tally('checkpoint', 'a', image)
    renameSync(pages, away)
    expect(await node.tally('restore', '--name', 'b', image)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('[RESTORE_FAILED]'),
    })
    expect(await node.json<ContainerView>('inspect', 'b')).toMatchObject({state: 'created', error: {code: 'RESTORE_FAILED'}})
    expect(await node.tally('kill', 'b')).toMatchObject({stderr: expect.stringContaining('legal now: start, delete')})
    renameSync(away, pages)
    expect(await node.tally('start', 'b')).toMatchObject({exitCode: 0})
    rmSync(image, {recursive: true})
    expect(await node.tally('rm', '-f', 'b')).toMatchObject({exitCode: 0})
  })

  it('outlives the supervisor of what goes on from it', async () => {
    await using node = await startNode()
    const image = join(node.dir, 'image')
    await node.tally('run', '-d', '--name', 'a', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 6; exit 7')
    await node.tally('checkpoint', 'a', image)
    await node.tally('restore', '--name', 'b', image)
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'b')
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await types(node, 'b')).includes('supervisor.adopted'))
    expect((await node.tally('wait', 'b')).stdout).toMatch(/^(7|lost)\n$/)
  })
})
