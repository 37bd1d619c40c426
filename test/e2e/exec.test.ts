import {headers} from 'nats'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {connectTally, type ContainerClient, type TallyClient, TallyError} from '../../src/client/index.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()
let client: TallyClient
let box: ContainerClient
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
  await client.create({id: 'box', rootfs: node.rootfs, args: ['sleep', '600']})
  box = client.container('box')
  await box.start()
})
afterAll(() => client[Symbol.asyncDispose]())

const exec = (...args: readonly string[]) => node.tally('exec', ...args)
const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof TallyError ? error.kind : error),
  )
const execEvents = async (name: string) =>
  (await node.events('box')).flatMap((event) => ('exec' in event.data && event.data.exec === name ? [event.type] : []))

describe('exec in the foreground', () => {
  it('has stdout and stderr apart, and exits as the command does', async () => {
    expect(await exec('box', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({exitCode: 7, stdout: 'out\n', stderr: 'err\n'})
  })

  it.each([[['box', '--', 'echo', 'a']], [['--', 'box', 'echo', 'a']], [['-e', 'A=1', '--', 'box', '--', 'echo', 'a']]])(
    'takes what is behind a -- to be the command: %j',
    async (args) => {
      expect(await exec(...args)).toEqual({exitCode: 0, stdout: 'a\n', stderr: ''})
    },
  )

  it('has further -- be arguments, and refuses one with nothing behind it', async () => {
    expect(await exec('box', '--', 'echo', '--', '-n')).toMatchObject({exitCode: 0, stdout: '-- -n\n'})
    expect(await exec('box', '--')).toMatchObject({exitCode: 125, stderr: 'tally: expected a command after -- [INVALID_ARGUMENT]\n'})
  })

  it('takes options of the command for its own, --json too', async () => {
    const {stderr} = await exec('box', '/none', '--json')
    expect(stderr).toMatch(/^tally: .*\[COMMAND_NOT_FOUND\]\n$/)
  })

  it('gives every byte of a large output', async () => {
    const {stdout} = await exec('box', 'seq', '1', '200000')
    expect(stdout).toBe(`${Array.from({length: 200_000}, (_, index) => index + 1).join('\n')}\n`)
  })

  it('has environment, directory and user of its own', async () => {
    const {stdout} = await exec(
      '-e',
      'A=1',
      '-w',
      '/tmp',
      '-u',
      'nobody',
      'box',
      'sh',
      '-c',
      'echo $A $HOME; pwd; id -u; grep CapEff /proc/self/status',
    )
    expect(stdout).toMatch(/^1 \S+\n\/tmp\n65534\nCapEff:\s0000000000000000\n$/)
  })

  it('says 127 of a command that does not exist, once', async () => {
    const ran = await exec('box', 'nope')
    expect(ran).toMatchObject({exitCode: 127, stdout: ''})
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(ran.stderr).toContain('[COMMAND_NOT_FOUND]')
  })

  it('leaves nothing of itself behind', async () => {
    await eventually('deleted', async () => (await box.state()).execs === undefined)
  })

  it('is given input, and an end of it', async () => {
    const child = node.spawn('exec', '-i', 'box', 'sh', '-c', 'cat; echo done')
    child.stdin?.end('one\ntwo\n')
    expect(await child).toMatchObject({exitCode: 0, stdout: 'one\ntwo\ndone'})
  })

  it('does not block what the command leaves behind', async () => {
    const script = '(i=0; while [ $i -lt 20000 ]; do echo "line $i of a daemon"; i=$((i+1)); done; touch /tmp/daemon-done) & echo begun'
    expect((await exec('box', 'sh', '-c', script)).stdout).toContain('begun')
    await eventually('all written', async () => (await exec('box', 'ls', '/tmp')).stdout.includes('daemon-done'))
  })

  it('refuses what there is not', async () => {
    expect((await exec('nobox', 'true')).stderr).toContain('[CONTAINER_NOT_FOUND]')
    expect((await exec('-u', 'nobody-at-all', 'box', 'true')).stderr).toContain('[USER_NOT_FOUND]')
    expect((await exec('box')).exitCode).toBe(125)
  })
})

describe('a process that was added', () => {
  it('is there by its id until it is deleted', async () => {
    expect((await exec('-d', '--id', 'named', 'box', 'sh', '-c', 'echo kept; exit 3')).stdout).toBe('named\n')
    const process = box.process('named')
    expect(await process.wait()).toMatchObject({state: 'stopped', exit: {type: 'code', code: 3}})
    expect(Buffer.from((await process.output('stdout', 0)).data, 'base64').toString()).toBe('kept\n')
    expect(await kindOf(box.addProcess({exec: 'named', args: ['true']}))).toBe('already_exists')
    await process.delete()
    expect(await kindOf(process.state())).toBe('not_found')
    expect(await execEvents('named')).toEqual([
      'exec.added',
      'exec.start-requested',
      'exec.started',
      'exec.exited',
      'exec.delete-requested',
      'exec.deleted',
    ])
  })

  it('obeys the rules of what is legal when', async () => {
    await box.addProcess({exec: 'rules', args: ['sleep', '100'], terminal: true, start: false})
    const process = box.process('rules')
    expect(await kindOf(process.kill())).toBe('precondition')
    expect(await kindOf(process.resize({columns: 90, rows: 30}))).toBe('done')
    await process.start()
    expect(await kindOf(process.start())).toBe('precondition')
    expect(await kindOf(process.delete())).toBe('precondition')
    expect(await kindOf(process.resize({columns: 91, rows: 31}))).toBe('done')
    await process.kill('SIGTERM')
    expect((await process.wait()).exit).toEqual({type: 'signal', signal: 'SIGTERM'})
    expect(await kindOf(process.kill())).toBe('not_found')
    expect(await kindOf(process.resize({columns: 92, rows: 32}))).toBe('precondition')
    await process.delete()
  })

  it('cannot be added while the container is frozen', async () => {
    await box.pause()
    expect(await kindOf(box.addProcess({exec: 'frozen', args: ['true']}))).toBe('precondition')
    await box.resume()
  })

  it('survives the death of its supervisor, with its exit status and its output', async () => {
    await box.addProcess({exec: 'survivor', args: ['sh', '-c', 'echo before; sleep 3; echo after; exit 8']})
    const process = box.process('survivor')
    const {supervisorPid} = await box.state()
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('box')).some(({type}) => type === 'supervisor.adopted'))
    expect((await process.wait()).exit).toEqual({type: 'code', code: 8})
    expect(Buffer.from((await process.output('stdout', 0)).data, 'base64').toString()).toBe('before\nafter\n')
    await process.delete()
  })

  it('has its own output, though another had its id before', async () => {
    const run = async (script: string) => {
      await box.addProcess({exec: 'again', args: ['sh', '-c', script]})
      await box.process('again').wait()
    }
    const read = async (offset: number) => Buffer.from((await box.process('again').output('stdout', offset)).data, 'base64').toString()
    await run('echo the first; echo has two lines')
    expect(await read(0)).toBe('the first\nhas two lines\n')
    await box.process('again').delete()
    await run('for line in one two three four five six seven; do echo $line; done')
    expect(await read(28)).toBe('seven\n')
    await box.process('again').delete()
  })

  it('has its own input, though another had its id before', async () => {
    for (const text of ['one', 'another']) {
      await box.addProcess({exec: 'fed', args: ['cat'], stdin: true})
      const header = headers()
      header.set('Tally-Offset', '0')
      const subject = client.subjects.io(box.address, 'fed', 'stdin')
      const reply = await client.connection.request(subject, text, {headers: header, timeout: 60_000})
      expect(reply.json()).toEqual({next: text.length})
      await box.process('fed').closeStdin()
      await box.process('fed').wait()
      expect(Buffer.from((await box.process('fed').output('stdout', 0)).data, 'base64').toString()).toBe(text)
      await box.process('fed').delete()
    }
  })

  it('is one of 200 at once, each with its own status and output', async () => {
    const statuses = await Promise.all(
      Array.from({length: 200}, async (_, index) => {
        await box.addProcess({exec: `many${index}`, args: ['sh', '-c', `echo ${index}; exit ${index}`]})
        const {exit} = await box.process(`many${index}`).wait()
        const {data} = await box.process(`many${index}`).output('stdout', 0)
        return [exit, Buffer.from(data, 'base64').toString()]
      }),
    )
    expect(statuses).toEqual(Array.from({length: 200}, (_, index) => [{type: 'code', code: index}, `${index}\n`]))
  })

  it('ends before init does, when init is killed', async () => {
    await client.create({id: 'short', rootfs: node.rootfs, args: ['sleep', '600']})
    const short = client.container('short')
    await short.start()
    await Promise.all(['a', 'b', 'c'].map((name) => short.addProcess({exec: name, args: ['sleep', '600']})))
    await short.kill('SIGKILL')
    await short.wait()
    const exits = (await node.events('short')).filter(({type}) => type.endsWith('.exited')).map(({type}) => type)
    expect(exits).toEqual(['exec.exited', 'exec.exited', 'exec.exited', 'container.exited'])
    await short.delete()
  })
})

describe('on the command line, a process that was added', () => {
  it('is listed, resized, signalled, waited for and deleted by its exec id', async () => {
    await exec('-d', '-t', '--id', 'listed', 'box', 'sleep', '600')
    expect((await node.tally('execs', 'box')).stdout).toMatch(/^EXEC .*\n(.*\n)*listed +sleep 600 +.* Up \d+ seconds? +\d+\n$/)
    expect((await node.tally('resize', '--exec', 'listed', 'box', '120', '40')).stdout).toBe('listed\n')
    expect((await node.tally('top', 'box')).stdout).toContain('exec listed')
    expect((await node.tally('kill', '-s', 'TERM', '--exec', 'listed', 'box')).stdout).toBe('listed\n')
    expect((await node.tally('wait', '--exec', 'listed', 'box')).stdout).toBe('143\n')
    expect((await node.tally('rm', '--exec', 'listed', 'box')).stdout).toBe('listed\n')
    expect((await node.tally('execs', 'box')).stdout).not.toContain('listed')
    const {stdout} = await node.tally('events', '--no-follow', '--filter', 'id=box', '--filter', 'type=exec.exited')
    expect(stdout).toContain('exec.exited  listed: SIGTERM')
  })
})
