import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

function run(...args: readonly string[]) {
  return node.tally('run', '--rm', '--rootfs', node.rootfs, ...args)
}

describe('run in the foreground', () => {
  it('has stdout and stderr apart, and exits as the container does', async () => {
    expect(await run('--', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({exitCode: 7, stdout: 'out\n', stderr: 'err\n'})
  })

  it('exits with 128 and the number of the signal that ended the container', async () => {
    const ran = run('--name', 'killed', '--', 'sleep', '100')
    await eventually(
      'running',
      async () =>
        (await node.tally('ps')).stdout.includes('killed') && (await node.json<ContainerView>('inspect', 'killed')).state === 'running',
    )
    expect(await node.tally('kill', '-s', 'KILL', 'killed')).toMatchObject({exitCode: 0})
    expect((await ran).exitCode).toBe(137)
  })

  it('says how it ended when it was killed and removed by another command', async () => {
    const ran = run('--name', 'shortlived', '--', 'sleep', '100')
    await eventually('removed', async () => (await node.tally('rm', '-f', 'shortlived')).exitCode === 0)
    expect((await ran).exitCode).toBe(137)
  })

  it('gives every byte of a large output, in order', async () => {
    const ran = await run('--', 'seq', '1', '300000')
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toBe(`${Array.from({length: 300_000}, (_, index) => index + 1).join('\n')}\n`)
  })

  it('gives the last line also when it has no newline', async () => {
    expect((await run('--', 'printf', 'no newline')).stdout).toBe('no newline')
  })

  it('passes options of the command on', async () => {
    expect((await run('echo', '--rm', '-d')).stdout).toBe('--rm -d\n')
  })

  it('sets environment, directory, user and host name', async () => {
    const script = 'echo $A $B; pwd; id -u; id -G; hostname'
    const {stdout} = await run('-e', 'A=1', '-e', 'B=x y', '-w', '/tmp', '-u', 'nobody', '--hostname', 'box', '--', 'sh', '-c', script)
    expect(stdout.split('\n')).toEqual(['1 x y', '/tmp', '65534', '65534 50', 'box', ''])
  })

  it('has a network namespace of its own, unless it is to use that of the host', async () => {
    const count = async (...args: readonly string[]) =>
      (await run(...args, '--', 'ls', '/sys/class/net')).stdout.split('\n').filter(Boolean)
    expect(await count()).toEqual(['lo'])
    expect((await run('--network', 'host', '--', 'readlink', '/proc/self/ns/net')).stdout).not.toBe(
      (await run('--network', 'none', '--', 'readlink', '/proc/self/ns/net')).stdout,
    )
  })

  it('forwards signals', async () => {
    const script = 'trap "echo got it; exit 3" TERM; echo ready; while true; do sleep 0.1; done'
    const child = node.spawn('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    child.stdout?.once('data', () => child.kill('SIGTERM'))
    expect(await child).toMatchObject({exitCode: 3, stdout: 'ready\ngot it'})
  })

  it('cannot be read by privileges that docker would not give', async () => {
    const {stdout} = await run('--', 'sh', '-c', 'grep -E "CapEff|NoNewPrivs|CapBnd" /proc/self/status; cat /proc/kcore | wc -c')
    expect(stdout).toMatch(/NoNewPrivs:\s1/)
    expect(stdout).toMatch(/CapEff:\s00000000a80425fb/)
    expect(stdout).toMatch(/^0$/m)
  })

  it('mounts what is asked for, and keeps a read-only root as it is', async () => {
    writeFileSync(join(node.dir, 'greeting'), 'hello\n')
    const script =
      'cat /data/greeting; echo x 2>/dev/null >/data/new || echo read-only; echo x 2>/dev/null >/new || echo root too; echo y >/scratch/z && cat /scratch/z'
    mkdirSync(join(node.rootfs, 'data'), {recursive: true})
    mkdirSync(join(node.rootfs, 'scratch'), {recursive: true})
    const {stdout, stderr} = await run('-v', `${node.dir}:/data:ro`, '--tmpfs', '/scratch', '--read-only', '--', 'sh', '-c', script)
    expect([stdout, stderr]).toEqual(['hello\nread-only\nroot too\ny\n', ''])
  })

  it('limits memory and processes, and takes capabilities away', async () => {
    const hungry = await run('--memory', '16m', '--', 'sh', '-c', 'head -c 64m /dev/zero | tail -c 48m | wc -c; echo $?')
    expect(hungry.stdout).not.toMatch(/^50331648$/m)
    const forking = await run('--pids-limit', '5', '--', 'sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait')
    expect(forking.stderr).toMatch(/can't fork/)
    expect((await run('--cap-drop', 'ALL', '--', 'grep', 'CapEff', '/proc/self/status')).stdout).toBe('CapEff:\t0000000000000000\n')
    expect(await run('--cap-add', 'FLY', '--', 'true')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('got CAP_FLY [INVALID_REQUEST]'),
    })
  })

  it('removes the container with --rm', async () => {
    await run('--name', 'gone', '--', 'true')
    await eventually('removed', async () => (await node.tally('inspect', 'gone')).exitCode === 1)
    expect((await node.events('gone')).map(({type}) => type).at(-1)).toBe('container.deleted')
  })
})

describe('run -d', () => {
  it('prints the id, and the container runs on', async () => {
    const {stdout} = await node.tally(
      'run',
      '-d',
      '--name',
      'behind',
      '--rootfs',
      node.rootfs,
      '--',
      'sh',
      '-c',
      'echo hello; sleep 0.3; exit 4',
    )
    expect(stdout).toBe('behind\n')
    expect((await node.tally('wait', 'behind')).stdout).toBe('4\n')
    expect((await node.tally('logs', 'behind')).stdout).toBe('hello\n')
    expect(await node.tally('rm', 'behind')).toMatchObject({exitCode: 0, stdout: 'behind\n'})
  })
})
