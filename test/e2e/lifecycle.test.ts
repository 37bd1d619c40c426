import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

interface Inspected {
  readonly state: string
  readonly pid: number | null
  readonly supervisorPid: number
  readonly exit: unknown
  readonly events: readonly {readonly type: string}[]
}

function create(id: string, ...command: readonly string[]) {
  return node.tally('create', '--name', id, '--rootfs', node.rootfs, '--', ...command)
}

describe('a container', () => {
  it('is created, started, stopped and removed, and shows each state', async () => {
    const state = async () => (await node.json<Inspected>('inspect', 'life')).state
    expect(await create('life', 'sh', '-c', 'trap "exit 9" TERM; while true; do sleep 0.05; done')).toMatchObject({
      exitCode: 0,
      stdout: 'life\n',
    })
    expect(await state()).toBe('created')
    expect(await node.tally('start', 'life')).toMatchObject({exitCode: 0})
    const running = await node.json<Inspected>('inspect', 'life')
    expect(running).toMatchObject({state: 'running', pid: expect.any(Number), supervisorPid: expect.any(Number), exit: null})
    expect((await node.tally('ps')).stdout).toMatch(/life\s+sh -c .*Up \d+ seconds?/)
    expect(await node.tally('stop', '-t', '5', 'life')).toMatchObject({exitCode: 0})
    expect(await node.json<Inspected>('inspect', 'life')).toMatchObject({state: 'stopped', pid: null, exit: {type: 'code', code: 9}})
    expect((await node.tally('ps')).stdout).not.toMatch(/life/)
    expect((await node.tally('ps', '-a')).stdout).toMatch(/life .*Exited \(9\)/)
    expect((await node.json<Inspected>('inspect', 'life')).events.map(({type}) => type)).toEqual([
      'io.tallyman.container.create-requested',
      'io.tallyman.container.created',
      'io.tallyman.container.start-requested',
      'io.tallyman.container.started',
      'io.tallyman.container.stop-requested',
      'io.tallyman.container.signalled',
      'io.tallyman.container.exited',
    ])
    expect(await node.tally('rm', 'life')).toMatchObject({exitCode: 0})
    expect(await node.tally('inspect', 'life')).toMatchObject({exitCode: 1})
  })

  it('that ignores SIGTERM is killed when the grace period is over', async () => {
    await create('deaf', 'sh', '-c', 'trap "" TERM; while true; do sleep 0.05; done')
    await node.tally('start', 'deaf')
    const before = Date.now()
    expect(await node.tally('stop', '-t', '1', 'deaf')).toMatchObject({exitCode: 0})
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000)
    expect((await node.tally('wait', 'deaf')).stdout).toBe('137\n')
    expect((await node.events('deaf')).map(({type}) => type)).toEqual([
      'container.create-requested',
      'container.created',
      'container.start-requested',
      'container.started',
      'container.stop-requested',
      'container.signalled',
      'container.stop-timed-out',
      'container.signalled',
      'container.exited',
    ])
    await node.tally('rm', 'deaf')
  })

  it('that runs is removed by force alone', async () => {
    await node.tally('run', '-d', '--name', 'busy', '--rootfs', node.rootfs, '--', 'sleep', '100')
    const refused = await node.tally('rm', 'busy')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toBe(
      'tally: cannot delete a container that is running; legal now: kill, stop, pause, checkpoint, update [ILLEGAL_COMMAND]\n',
    )
    expect(await node.tally('rm', '-f', 'busy')).toMatchObject({exitCode: 0})
    expect((await node.events('busy')).map(({type}) => type).slice(-3)).toEqual([
      'container.delete-requested',
      'container.exited',
      'container.deleted',
    ])
  })

  it('frees its id when it could not be made', async () => {
    expect((await create('again', 'nosuchcommand')).stderr).toMatch(/COMMAND_NOT_FOUND/)
    expect(await create('again', 'true')).toMatchObject({exitCode: 0})
    await node.tally('rm', 'again')
  })

  it('runs from a bundle, which is left untouched', async () => {
    const bundle = join(node.dir, 'bundle')
    mkdirSync(bundle)
    const spec = {
      ociVersion: '1.0.2',
      process: {user: {uid: 0, gid: 0}, args: ['sh', '-c', 'echo from a bundle; exit 5'], env: ['PATH=/bin'], cwd: '/'},
      root: {path: '../rootfs'},
      mounts: [{destination: '/proc', type: 'proc', source: 'proc'}],
      linux: {namespaces: [{type: 'pid'}, {type: 'mount'}]},
    }
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
    expect(await node.tally('run', '--rm', '--bundle', bundle)).toEqual({exitCode: 5, stdout: 'from a bundle\n', stderr: ''})
  })
})

describe('pause and resume', () => {
  it('freeze every process and let them run again, and a stop reaches a paused container', async () => {
    const script = 'trap "exit 8" TERM; i=0; while true; do i=$((i+1)); echo $i; sleep 0.02; done'
    await node.tally('run', '-d', '--name', 'frozen', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    const written = async () => (await node.tally('logs', '--tail', '1', 'frozen')).stdout
    expect(await node.tally('pause', 'frozen')).toMatchObject({exitCode: 0, stdout: 'frozen\n'})
    expect((await node.tally('ps')).stdout).toMatch(/frozen .*\(Paused\)/)
    const before = await written()
    expect(await written()).toBe(before)
    expect((await node.tally('pause', 'frozen')).stderr).toBe(
      'tally: cannot pause a container that is paused; legal now: kill, stop, resume, checkpoint, update [ILLEGAL_COMMAND]\n',
    )
    expect(await node.tally('resume', 'frozen')).toMatchObject({exitCode: 0})
    await eventually('it runs again', async () => (await written()) !== before)
    await node.tally('pause', 'frozen')
    expect(await node.tally('stop', '-t', '5', 'frozen')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'frozen')).stdout).toBe('8\n')
    expect((await node.events('frozen')).map(({type}) => type).slice(4)).toEqual([
      'container.pause-requested',
      'container.paused',
      'container.resume-requested',
      'container.resumed',
      'container.pause-requested',
      'container.paused',
      'container.stop-requested',
      'container.signalled',
      'container.resumed',
      'container.exited',
    ])
    await node.tally('rm', 'frozen')
  })

  it('a paused container is killed, and removed by force', async () => {
    for (const id of ['killed', 'removed']) {
      await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sleep', '100')
      await node.tally('pause', id)
    }
    expect(await node.tally('kill', 'killed')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'killed')).stdout).toBe('137\n')
    expect(await node.tally('rm', 'killed')).toMatchObject({exitCode: 0})
    expect(await node.tally('rm', '-f', 'removed')).toMatchObject({exitCode: 0})
  })
})

describe('kill', () => {
  it('reaches init, or with --all every process', async () => {
    const script =
      'sh -c \'trap "echo child; exit" USR1; echo set; while true; do sleep 0.05; done\' & trap "echo init" USR1; echo set; while true; do sleep 0.05; done'
    await node.tally('run', '-d', '--name', 'family', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    const written = async () => (await node.tally('logs', 'family')).stdout.split('\n').sort().join(' ')
    await eventually('both have set their traps', async () => (await written()) === ' set set')
    await node.tally('kill', '-s', 'USR1', 'family')
    await eventually('init got it', async () => (await written()) === ' init set set')
    await node.tally('kill', '-s', 'USR1', '--all', 'family')
    await eventually('both got it', async () => (await written()) === ' child init init set set')
    await node.tally('rm', '-f', 'family')
    const exited = (await node.events('family')).find(({type}) => type === 'container.exited')
    expect(exited?.data).toMatchObject({exit: {type: 'signal', signal: 'SIGKILL'}, usage: {maxRssBytes: expect.any(Number)}})
  })
})

describe('logs', () => {
  it('prints both streams apart, the tail, time stamps, and follows until the end', async () => {
    const script = 'for i in 1 2 3; do echo out $i; sleep 0.05; done; echo err >&2; sleep 1; echo last'
    await node.tally('run', '-d', '--name', 'talk', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    expect(await node.tally('logs', '-f', 'talk')).toEqual({exitCode: 0, stdout: 'out 1\nout 2\nout 3\nlast\n', stderr: 'err\n'})
    expect(await node.tally('logs', '--tail', '2', 'talk')).toEqual({exitCode: 0, stdout: 'last\n', stderr: 'err\n'})
    const stamped = (await node.tally('logs', '-t', 'talk')).stdout
    expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d out 1\n/)
    const lastWritten = /^(\S+) last$/m.exec(stamped)?.[1] ?? ''
    expect((await node.tally('logs', '--since', lastWritten, 'talk')).stdout).toBe('last\n')
    expect((await node.tally('logs', '--since', '1h', 'talk')).stdout).toBe('out 1\nout 2\nout 3\nlast\n')
    expect((await node.tally('logs', '--json', '--tail', '1', 'talk')).stdout).toMatch(/"stream":"stdout","text":"last\\n"/)
    await node.tally('rm', 'talk')
  })
})

describe('events', () => {
  it('replays history, follows, and filters', async () => {
    const follower = node.spawn('events', '--json', '--filter', 'id=seen', '--filter', 'type=container.exited')
    const first = new Promise<string>((resolve) => follower.stdout.once('data', (bytes) => resolve(String(bytes))))
    await node.tally('run', '-d', '--rm', '--name', 'seen', '--rootfs', node.rootfs, '--', 'sh', '-c', 'exit 3')
    await node.tally('run', '-d', '--rm', '--name', 'unseen', '--rootfs', node.rootfs, '--', 'true')
    expect(JSON.parse(await first)).toMatchObject({type: 'io.tallyman.container.exited', data: {exit: {type: 'code', code: 3}}})
    follower.kill('SIGINT')
    await follower
    const {stdout} = await node.tally('events', '--no-follow', '--filter', 'id=seen')
    expect(stdout).toMatch(/default\/seen {2}1 {2}container\.create-requested {2}sh -c exit 3 {2}\(.+\)\n/)
    expect((await node.tally('events', '--no-follow', '--since', '2100-01-01T00:00:00Z')).stdout).toBe('')
  })
})

describe('a namespace', () => {
  it('keeps equal ids apart', async () => {
    for (const namespace of ['a', 'b']) {
      const made = await node.tally('create', '--namespace', namespace, '--name', 'same', '--rootfs', node.rootfs, '--', 'true')
      expect(made).toMatchObject({exitCode: 0})
    }
    expect((await node.tally('ps', '-A')).stdout).toMatch(/a +same[\s\S]*b +same|b +same[\s\S]*a +same/)
    expect((await node.tally('ps', '-a', '-q')).stdout).toBe('')
    expect(await node.tally('rm', '--namespace', 'a', 'same')).toMatchObject({exitCode: 0})
    await eventually('one left', async () => (await node.json<readonly unknown[]>('ps', '-A')).length === 1)
    expect(await node.tally('rm', '--namespace', 'b', 'same')).toMatchObject({exitCode: 0})
  })
})
