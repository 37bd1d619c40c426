import {closeSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {runProgram} from '../../../src/runtime/run-program.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const sh = (script: string, options: Partial<Parameters<typeof runProgram>[2]> = {}) =>
  runProgram('/bin/sh', ['-c', script], {timeoutMs: 20_000, ...options})

test('resolves to the status and what was written, without the last newline', async () => {
  expect(await sh('echo out; echo err >&2; exit 3')).toEqual({
    failed: true,
    exitCode: 3,
    signal: undefined,
    timedOut: false,
    code: undefined,
    stdout: 'out',
    stderr: 'err',
  })
  expect(await sh('kill -TERM $$')).toMatchObject({failed: true, exitCode: undefined, signal: 'SIGTERM'})
  expect(await sh('')).toMatchObject({failed: false, exitCode: 0, stdout: ''})
})

test.each([
  ['/does/not/exist', [], 'ENOENT'],
  ['/etc/passwd', [], 'EACCES'],
  ['/bin/true', ['x'.repeat(200_000)], 'E2BIG'],
] as const)('resolves to the reason why %s cannot be executed', async (program, args, code) => {
  const reaped: number[] = []
  const result = await runProgram(program, args, {timeoutMs: 20_000, onReaped: (pid) => reaped.push(pid)})
  expect(result).toMatchObject({failed: true, code, exitCode: undefined})
  expect(reaped).toEqual([])
})

test('tells the pid of the program at once, and when it has been reaped', async () => {
  const told: string[] = []
  const running = sh('echo $$', {onSpawn: (pid) => told.push(`spawned ${pid}`), onReaped: (pid) => told.push(`reaped ${pid}`)})
  expect(told).toHaveLength(1)
  const {stdout} = await running
  expect(told).toEqual([`spawned ${stdout}`, `reaped ${stdout}`])
})

test('kills a program that takes too long, and does not wait for what holds its pipes', async () => {
  const begun = performance.now()
  const result = await sh('trap "" TERM; echo begun; sleep 5 & wait', {timeoutMs: 500})
  expect(result).toMatchObject({failed: true, timedOut: true, signal: 'SIGKILL', stdout: 'begun'})
  expect(performance.now() - begun).toBeLessThan(4_000)
})

test('passes input on, also to a program that does not read it', async () => {
  expect(await sh('cat', {input: 'x'.repeat(300_000)})).toMatchObject({failed: false, stdout: 'x'.repeat(300_000)})
  expect(await sh('exit 0', {input: 'x'.repeat(300_000)})).toMatchObject({failed: false})
  expect(await sh('cat')).toMatchObject({failed: false, stdout: ''})
})

test('gives the program descriptors, and waits for its end alone', async () => {
  await using dir = makeTempDir()
  const path = join(dir.path, 'out')
  const [input, output] = [openSync('/dev/null', 'r'), openSync(path, 'w')]
  const begun = performance.now()
  const result = await sh('echo out; echo err >&2; sleep 5 &', {fds: [input, output, output]})
  expect(result).toMatchObject({failed: false, stdout: '', stderr: ''})
  expect(performance.now() - begun).toBeLessThan(4_000)
  expect(readFileSync(path, 'utf8')).toBe('out\nerr\n')
  for (const fd of [input, output]) closeSync(fd)
})

test('has the environment of tools, and what is added', async () => {
  const {stdout} = await sh('env', {env: {CRIU_CONFIG_FILE: '/x'}})
  const names = stdout.split('\n').map((line) => line.slice(0, line.indexOf('=')))
  expect(names).toEqual(expect.arrayContaining(['CRIU_CONFIG_FILE', 'HOME', 'LANG', 'PATH']))
  expect(names).not.toContain('TMPDIR')
})
