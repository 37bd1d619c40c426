import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type ContainerClient, connectTally, type TallyClient} from '../../src/client/index.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, useNode} from '../support/tally-node.ts'
import {type Terminal, type Visitor, visit} from '../support/visitor.ts'

const node = useNode({args: ['--http', '127.0.0.1:0']})
let visitor: Visitor
let client: TallyClient
let box: ContainerClient
beforeAll(async () => {
  visitor = await visit(node)
  client = await connectTally({runDir: node.runDir})
  await client.create({id: 'box', rootfs: node.rootfs, args: ['sleep', '600']})
  box = client.container('box')
  await box.start()
})
afterAll(() => client[Symbol.asyncDispose]())

const open = (query: string, id = 'box') => visitor.open(`/api/containers/n1/default/${id}/terminal?${query}`)
const exec = (...args: readonly string[]) => open(`mode=exec&columns=90&rows=30&args=${encodeURIComponent(JSON.stringify(args))}`)
const isReady = ({messages}: Terminal) => messages.some(({type}) => type === 'ready')
const last = ({messages}: Terminal) => messages.at(-1)

describe('a terminal', () => {
  it('has a shell of its own in the container, and says how it ended', async () => {
    using terminal = exec('sh')
    await eventually('ready', () => isReady(terminal))
    expect(terminal.messages[0]).toEqual({type: 'ready', exec: expect.stringMatching(/^[0-9a-f]{12}$/)})
    terminal.type('stty size; echo $((20 + 22)); tty\n')
    await eventually('answered', () => /30 90\r\n42\r\n\/dev\/pts\/\d+\r\n/.test(terminal.output))
    terminal.say({type: 'resize', columns: 120, rows: 40})
    terminal.type('sleep 0.2; stty size\n')
    await eventually('resized', () => terminal.output.includes('40 120\r\n'))
    terminal.type('exit 7\n')
    expect(await terminal.ended).toEqual({code: 1000})
    expect(last(terminal)).toEqual({type: 'exit', exit: {type: 'code', code: 7}})
    await eventually('forgotten', async () => (await box.state()).execs === undefined)
  })

  it('is a shell by default', async () => {
    using terminal = open('mode=exec')
    await eventually('ready', () => isReady(terminal))
    terminal.type('stty size; exit\n')
    await terminal.ended
    expect(terminal.output).toContain('24 80')
  })

  it('gives every byte of a large output, and takes every byte of a large input', async () => {
    using out = exec('seq', '1', '100000')
    await out.ended
    expect(out.output.replaceAll('\r', '')).toBe(`${Array.from({length: 100_000}, (_, index) => index + 1).join('\n')}\n`)
    using input = exec('sh', '-c', 'stty raw -echo; echo go; head -c 1000000 | md5sum')
    await eventually('raw', () => input.output.includes('go'))
    const {createHash} = await import('node:crypto')
    const bytes = Buffer.alloc(1_000_000, 'abcdefg\n')
    for (let at = 0; at < bytes.length; at += 50_000) input.type(bytes.subarray(at, at + 50_000).toString())
    await input.ended
    expect(input.output).toContain(createHash('md5').update(bytes).digest('hex'))
  })

  it('hangs up when it is closed', async () => {
    const terminal = exec('sh')
    await eventually('ready', () => isReady(terminal))
    expect((await box.state()).execs).toHaveLength(1)
    terminal.socket.close()
    await eventually('hung up', async () => (await box.state()).execs === undefined)
    const exit = (await node.events('box')).findLast(({type}) => type === 'exec.exited')
    expect(exit?.data).toMatchObject({exit: {type: 'signal', signal: 'SIGHUP'}})
  })

  it('takes more input than its program reads, and the container goes on', async () => {
    const terminal = exec('sh', '-c', 'stty raw -echo; echo go; sleep 600')
    await eventually('raw', () => terminal.output.includes('go'))
    for (let count = 0; count < 10; count += 1) terminal.type('x'.repeat(50_000))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await box.state()).state).toBe('running')
    expect(await node.tally('exec', 'box', 'sh', '-c', 'echo here')).toEqual({exitCode: 0, stdout: 'here\n', stderr: ''})
    const {execs: [added] = []} = await box.state()
    await box.process(added?.exec ?? '').kill('SIGKILL')
    await terminal.ended
    expect(last(terminal)).toEqual({type: 'exit', exit: {type: 'signal', signal: 'SIGKILL'}})
  })

  it('is hung up when the coordinator ends', async () => {
    await using other = await startNode({args: ['--http', '127.0.0.1:0']})
    await using there = await connectTally({runDir: other.runDir})
    await there.create({id: 'box', rootfs: other.rootfs, args: ['sleep', '600']})
    await there.container('box').start()
    using terminal = (await visit(other)).open('/api/containers/n1/default/box/terminal?mode=exec')
    await eventually('ready', () => isReady(terminal))
    expect(await other.tally('down')).toMatchObject({exitCode: 0})
    expect(await terminal.ended).toEqual({code: 1006})
    expect((await other.tally('up', '-d')).exitCode).toBe(0)
    await eventually('hung up', async () =>
      (await other.events('box')).some(({type, data}) => type === 'exec.exited' && JSON.stringify(data).includes('SIGHUP')),
    )
  })

  it('is refused with the reason', async () => {
    for (const [terminal, code] of [
      [exec('no-such-program'), 'COMMAND_NOT_FOUND'],
      [open('mode=exec', 'nobody'), 'CONTAINER_NOT_FOUND'],
      [open('mode=attach&exec=nobody'), 'EXEC_NOT_FOUND'],
    ] as const) {
      expect(await terminal.ended).toEqual({code: 1011})
      expect(last(terminal)).toMatchObject({type: 'error', error: {code}})
    }
    for (const query of ['', 'mode=nothing', 'mode=exec&args=sh', 'mode=exec&args=[]', 'mode=exec&columns=0', 'mode=exec&extra=1'])
      expect((await open(query).ended).code, query).toBe(400)
  })

  it('survives the death of nats-server', async () => {
    using terminal = exec('sh')
    await eventually('ready', () => isReady(terminal))
    const {natsPid} = await node.info()
    if (natsPid === null) throw new Error('no nats-server')
    sendSignal(natsPid, 'SIGKILL')
    terminal.type('echo $((40 + 2))\n')
    await eventually('answered', () => terminal.output.includes('42\r\n'))
    terminal.type('exit 9\n')
    await terminal.ended
    expect(last(terminal)).toEqual({type: 'exit', exit: {type: 'code', code: 9}})
    await client[Symbol.asyncDispose]()
    client = await connectTally({runDir: node.runDir})
    box = client.container('box')
  })
})

describe('joining a container', () => {
  it('with a terminal gives its output from now on, and takes input and its size', async () => {
    await client.create({id: 'tty', rootfs: node.rootfs, args: ['sh'], terminal: true, stdin: true})
    await client.container('tty').start()
    using terminal = open('mode=attach&columns=70&rows=20', 'tty')
    await eventually('ready', () => isReady(terminal))
    expect(terminal.messages[0]).toEqual({type: 'ready'})
    terminal.type('stty size; exit 5\n')
    await terminal.ended
    expect(terminal.output).toContain('20 70')
    expect(last(terminal)).toEqual({type: 'exit', exit: {type: 'code', code: 5}})
    await client.container('tty').delete()
  })

  it('leaves it running when it is closed', async () => {
    await client.create({id: 'plain', rootfs: node.rootfs, args: ['sh', '-c', 'while true; do echo out; echo err >&2; sleep 0.1; done']})
    await client.container('plain').start()
    const terminal = open('mode=attach', 'plain')
    await eventually('heard', () => terminal.output.includes('out\n') && terminal.output.includes('err\n'))
    terminal.socket.terminate()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await client.container('plain').state()).state).toBe('running')
    await client.container('plain').delete({force: true})
  })
})
