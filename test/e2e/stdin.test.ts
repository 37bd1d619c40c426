import {createHash, randomBytes} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {createWriteStream} from 'node:fs'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {execa} from 'execa'
import {expect, it} from 'vitest'
import {connectTally, createInputSender} from '../../src/client/index.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const node = useNode()

const run = (...args: readonly string[]) => ['run', '-i', '--rootfs', node.rootfs, ...args]

it('ends with its input: echo hi | tally run -i … cat', async () => {
  const child = node.spawn(...run('--rm', 'cat'))
  child.stdin?.end('hi\n')
  expect(await child).toMatchObject({exitCode: 0, stdout: 'hi'})
})

it('reads an end of file without -i', async () => {
  expect(await node.tally('run', '--rm', '--rootfs', node.rootfs, 'sh', '-c', 'cat; echo ended')).toMatchObject({
    exitCode: 0,
    stdout: 'ended\n',
  })
})

it('ends when the program does, whatever is left of the input', async () => {
  const child = node.spawn(...run('--rm', 'head', '-n', '1'))
  child.stdin?.write('first\n')
  child.stdin?.on('error', () => {})
  for (let index = 0; index < 50; index += 1) child.stdin?.write(randomBytes(64 * 1024))
  expect(await child).toMatchObject({exitCode: 0, stdout: 'first'})
})

it('carries 100 MB of random bytes both ways unharmed, in little memory', async () => {
  const bytes = randomBytes(100_000_000)
  const file = join(node.dir, 'copy')
  const child = execa(program, run('--name', 'hundred', 'cat'), {env: node.env, buffer: false, stdin: 'pipe', timeout: 120_000})
  const copied = pipeline(child.stdout, createWriteStream(file))
  child.stdin.end(bytes)
  await child
  await copied
  const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex')
  expect(hash(readFileSync(file))).toBe(hash(bytes))
  const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'hundred')
  const [, peakKb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${supervisorPid}/status`, 'utf8')) ?? []
  expect(Number(peakKb)).toBeLessThan(150 * 1024)
  expect((await node.tally('rm', 'hundred')).exitCode).toBe(0)
})

it('slows a client down whose container does not read, and loses nothing of what was sent', async () => {
  await using client = await connectTally({runDir: node.runDir})
  await client.create({id: 'slow', rootfs: node.rootfs, args: ['sh', '-c', 'sleep 2; wc -c'], stdin: true})
  const container = client.container('slow')
  await container.start()
  const sender = createInputSender(() => ({client, process: container}))
  let sent = 0
  const sending = (async () => {
    for (let index = 0; index < 16; index += 1) {
      await sender.write(randomBytes(64 * 1024))
      sent += 64 * 1024
    }
    await container.closeStdin()
  })()
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  // What the pipe holds, and no more.
  expect(sent).toBeLessThanOrEqual(64 * 1024)
  await sending
  await container.wait()
  expect(
    Buffer.from((await container.output('stdout', 0)).data, 'base64')
      .toString()
      .trim(),
  ).toBe(String(1024 * 1024))
  await container.delete()
})

it('takes nothing twice that is sent again, and refuses a gap', async () => {
  await using client = await connectTally({runDir: node.runDir})
  await client.create({id: 'again', rootfs: node.rootfs, args: ['cat'], stdin: true})
  const container = client.container('again')
  await container.start()
  const {headers} = await import('nats')
  const send = async (offset: number, text: string) => {
    const header = headers()
    header.set('Tally-Session', 's')
    header.set('Tally-Offset', String(offset))
    const reply = await client.connection.request(client.subjects.io(container.address, 'init', 'stdin'), text, {
      headers: header,
      timeout: 5_000,
    })
    return reply.json<{readonly next?: number; readonly code?: string}>()
  }
  expect(await send(0, 'one ')).toEqual({next: 4})
  expect(await send(0, 'one ')).toEqual({next: 4})
  expect(await send(2, 'e two ')).toEqual({next: 8})
  expect(await send(20, 'x')).toMatchObject({code: 'INPUT_GAP'})
  await container.closeStdin()
  await container.closeStdin()
  expect(await send(8, 'y')).toMatchObject({code: 'STDIN_CLOSED'})
  await container.wait()
  expect(Buffer.from((await container.output('stdout', 0)).data, 'base64').toString()).toBe('one two ')
  await container.delete()
})

it('goes on when the embedded nats-server is killed under it', async () => {
  const child = node.spawn(...run('--rm', '--name', 'carried', 'cat'))
  child.stdin?.write('before\n')
  await eventually('running', async () => (await node.tally('logs', 'carried')).stdout === 'before\n')
  const {natsPid} = await node.info()
  sendSignal(natsPid, 'SIGKILL')
  child.stdin?.end('after\n')
  expect(await child).toMatchObject({exitCode: 0, stdout: 'before\nafter'})
})
