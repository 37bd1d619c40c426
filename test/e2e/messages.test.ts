/** Error messages: they give the reason, and never the words of another program instead. */
import {closeSync, openSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {beforeAll, describe, expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const node = useNode()
beforeAll(async () => {
  expect(await node.tally('run', '-d', '--name', 'box', '--rootfs', node.rootfs, 'sleep', '600')).toMatchObject({exitCode: 0})
})

describe('a request that cannot be', () => {
  it.each([
    [
      'a mount over everything',
      ['-v', '/srv:/'],
      'mounts.0.target: expected a path below /, which is the root file system itself, got "/"',
    ],
    ['the same, written otherwise', ['--tmpfs', '/tmp/..'], 'mounts.0.target: expected a path below /, .*, got "/tmp/.."'],
    [
      'swap without memory',
      ['--memory-swap', '64m'],
      'memorySwapBytes: expected memoryBytes as well, since this is memory and swap together',
    ],
    ['no user', ['-u', ''], 'user: expected at least 1 character, got ""'],
    ['no host name', ['--hostname', ''], 'hostname: expected text that matches .*, got ""'],
    ['a variable without a name', ['-e', '=x'], 'env.0: expected KEY=VALUE, got "=x"'],
  ])('%s', async (_, flags, message) => {
    const {exitCode, stdout, stderr} = await node.tally('run', '--rm', ...flags, '--rootfs', node.rootfs, 'true')
    expect(stderr).toMatch(new RegExp(`^tally: ${message} \\[INVALID_REQUEST\\]\\n$`))
    expect([exitCode, stdout]).toEqual([125, ''])
  })

  it('swap alone for a container without a limit of memory', async () => {
    expect(await node.tally('update', '--memory-swap', '64m', 'box')).toMatchObject({
      exitCode: 1,
      stderr: 'tally: memorySwapBytes: expected memoryBytes as well, since this is memory and swap together [INVALID_REQUEST]\n',
    })
  })

  it('a size for what has no terminal', async () => {
    const why = (what: string) => ({exitCode: 1, stdout: '', stderr: `tally: cannot resize: ${what} has no terminal [ILLEGAL_COMMAND]\n`})
    expect(await node.tally('resize', 'box', '80', '24')).toEqual(why('the container'))
    expect(await node.tally('exec', '-d', '--id', 'plain', 'box', 'sleep', '600')).toMatchObject({exitCode: 0})
    expect(await node.tally('resize', '--exec', 'plain', 'box', '80', '24')).toEqual(why('process plain'))
  })
})

describe('a command that is not legal', () => {
  it('is called as the person called it', async () => {
    expect(await node.tally('create', '--name', 'idle', '--rootfs', node.rootfs, 'true')).toMatchObject({exitCode: 0})
    await node.tally('run', '--name', 'over', '--rootfs', node.rootfs, 'true')
    expect((await node.tally('exec', 'over', 'true')).stderr).toBe(
      'tally: cannot exec in a container that is stopped; legal now: delete [ILLEGAL_COMMAND]\n',
    )
    expect(await node.tally('exec', '-d', '--id', 'runs', 'box', 'sleep', '600')).toMatchObject({exitCode: 0})
    expect((await node.tally('rm', '--exec', 'runs', 'box')).stderr).toBe(
      'tally: cannot delete the process runs, which is running [ILLEGAL_COMMAND]\n',
    )
  })
})

describe('output that has nowhere to go', () => {
  const full = 'tally: cannot write to stdout: no space left on device [OUTPUT_FAILED]\n'
  const closed = 'tally: cannot write to stdout: it is closed, or not open for writing [OUTPUT_FAILED]\n'

  it.each([
    ['ps', 1],
    ['info', 1],
    ['version', 1],
    ['--help', 1],
    ['inspect box', 1],
    ['logs loud', 1],
    ['events --no-follow', 1],
    ['wait loud', 1],
    ['chart box', 1],
    ['exec box echo a', 125],
    ['exec -d box true', 125],
    ['run --rm --rootfs ROOTFS echo a', 125],
    ['run -d --rm --rootfs ROOTFS true', 125],
  ])('%s says so, whether it is closed or full', async (line, exitCode) => {
    await node.tally('run', '--name', 'loud', '--rootfs', node.rootfs, 'echo', 'loud')
    const args = line.split(' ').map((word) => word.replace('ROOTFS', node.rootfs))
    const run = async (redirection: string) => {
      const {exitCode: code, stderr} = await execa('sh', ['-c', `exec "$0" "$@" ${redirection}`, program, ...args], {
        env: node.env,
        reject: false,
        stripFinalNewline: false,
      })
      return {exitCode: code, stderr}
    }
    expect(await run('>/dev/full')).toEqual({exitCode, stderr: full})
    expect(await run('>&-')).toEqual({exitCode, stderr: closed})
  })

  it.each([
    ['create', ['create', '--rootfs', 'ROOTFS', 'sleep', '600'], 1],
    ['run -d', ['run', '-d', '--rootfs', 'ROOTFS', 'sleep', '600'], 125],
    ['run -d, as JSON', ['run', '-d', '--json', '--rootfs', 'ROOTFS', 'sleep', '600'], 125],
    ['exec -d', ['exec', '-d', 'box', 'sleep', '600'], 125],
  ] as const)('%s leaves nothing whose id was not printed', async (_, args, exitCode) => {
    const ids = async () => {
      const containers = await node.json<readonly {readonly id: string}[]>('ps', '-a')
      const execs = await node.json<readonly {readonly exec: string}[]>('execs', 'box')
      return [...containers.map(({id}) => id), ...execs.map(({exec}) => exec)].sort()
    }
    const before = await ids()
    for (const redirection of ['>/dev/full', '>&-']) {
      const words = args.map((word) => word.replace('ROOTFS', node.rootfs))
      const {exitCode: code, stderr} = await execa('sh', ['-c', `exec "$0" "$@" ${redirection}`, program, ...words], {
        env: node.env,
        reject: false,
      })
      expect(stderr).toContain('OUTPUT_FAILED')
      expect(code).toBe(exitCode)
      await eventually('removed', async () => (await ids()).join() === before.join())
    }
  })

  it('no error where nothing is printed, or output is not wanted', async () => {
    const run = async (...args: readonly string[]) =>
      (await execa('sh', ['-c', `exec "$0" "$@" >&-`, program, ...args], {env: node.env, reject: false})).exitCode
    expect(await run('exec', 'box', 'true')).toBe(0)
    const fd = openSync('/dev/null', 'r+')
    expect((await execa(program, ['ps'], {env: node.env, stdio: [fd, fd, fd] as never, reject: false})).exitCode).toBe(0)
    closeSync(fd)
  })

  it('ends the process of an exec, whose output has no reader', async () => {
    const {exitCode, stderr} = await execa('sh', ['-c', 'exec "$0" "$@" >/dev/full', program, 'exec', '--id', 'loud', 'box', 'yes'], {
      env: node.env,
      reject: false,
    })
    expect([exitCode, stderr]).toEqual([125, full.trimEnd()])
    expect(await node.tally('wait', '--exec', 'loud', 'box')).toMatchObject({exitCode: 0, stdout: '129\n'})
  })

  it('a closed stderr changes no exit status', async () => {
    const {exitCode, stdout} = await execa('sh', ['-c', 'exec "$0" "$@" 2>&-', program, 'exec', 'box', 'sh', '-c', 'echo a; exit 3'], {
      env: node.env,
      reject: false,
    })
    expect([exitCode, stdout]).toEqual([3, 'a'])
  })
})
