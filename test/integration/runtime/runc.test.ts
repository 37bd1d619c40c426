import {chmodSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {readProcessStat} from '../../../src/linux/process-table.ts'
import {describeOciRuntime} from '../../contract/oci-runtime.ts'
import {openRuncHarness} from '../../support/runtime-harness.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

describeOciRuntime('runc', () => openRuncHarness())

test('a binary that is missing, or not executable, is RUNTIME_NOT_FOUND, with what to install', async () => {
  await using dir = makeTempDir()
  const notExecutable = join(dir.path, 'runc')
  writeFileSync(notExecutable, '#!/bin/sh\n')
  for (const binary of ['/nonexistent/runc', notExecutable]) {
    await using harness = await openRuncHarness({binary})
    const options = await harness.prepare(['true'])
    const error = {code: 'RUNTIME_NOT_FOUND', kind: 'unavailable', message: expect.stringContaining('apt-get install runc')}
    await expect(harness.runtime.create(options)).rejects.toMatchObject(error)
    await expect(harness.runtime.state(options.id)).rejects.toMatchObject(error)
    await expect(harness.runtime.version()).rejects.toMatchObject(error)
  }
})

test('a call that does not end in time is killed, and is RUNTIME_TIMEOUT', async () => {
  await using dir = makeTempDir()
  const binary = join(dir.path, 'hanging-runc')
  writeFileSync(binary, '#!/bin/sh\nexec sleep 1000\n')
  chmodSync(binary, 0o755)
  const pids: number[] = []
  await using harness = await openRuncHarness({binary, timeoutMs: 200, onSpawn: (pid) => pids.push(pid)})
  await expect(harness.runtime.state('c1')).rejects.toMatchObject({code: 'RUNTIME_TIMEOUT', kind: 'timeout'})
  expect(pids.map(readProcessStat)).toEqual([undefined])
})

test('the pid of every runc process is reported when it starts, and when it was reaped', async () => {
  const told: string[] = []
  await using harness = await openRuncHarness({onSpawn: (pid) => told.push(`+${pid}`), onReaped: (pid) => told.push(`-${pid}`)})
  await harness.runtime.state('nobody')
  await harness.runtime.version()
  const [first, second] = [told[0]?.slice(1), told[2]?.slice(1)]
  expect(told).toEqual([`+${first}`, `-${first}`, `+${second}`, `-${second}`])
})

test('the log of a call goes with it, whether it fails or not', async () => {
  await using harness = await openRuncHarness()
  const options = await harness.prepare(['nothing-of-this-name'])
  await expect(harness.runtime.create(options)).rejects.toMatchObject({code: 'COMMAND_NOT_FOUND'})
  const {id} = await harness.prepare(['true'])
  await harness.runtime.state(id)
  expect(readdirSync(harness.logDir)).toEqual([])
})

test.each<[string, object, object]>([
  ['a namespace', {linux: {namespaces: [{type: 'foo'}]}}, {type: 'namespace', name: 'foo'}],
  ['a mount with ids of its own', {mounts: [{destination: '/x', uidMappings: [{}]}]}, {type: 'mount with ids of its own', name: '/x'}],
  ['a mount option', {mounts: [{destination: '/x', options: ['rbind', 'rro']}]}, {type: 'mount option', name: 'rro'}],
])('%s that the runtime does not know is UNSUPPORTED, before anything is made', async (_, spec, wish) => {
  await using dir = makeTempDir()
  const binary = join(dir.path, 'old-runc')
  writeFileSync(
    binary,
    `#!/bin/sh\ncase "$1" in features) echo '{"ociVersionMin":"1.0.0","mountOptions":["ro"],"linux":{"namespaces":["pid","ipc"]}}';; --version) echo runc version 1.0;; *) exit 9; esac\n`,
  )
  chmodSync(binary, 0o755)
  await using harness = await openRuncHarness({binary})
  const options = await harness.prepare(['true'])
  writeFileSync(join(options.bundle, 'config.json'), JSON.stringify(spec))
  await expect(harness.runtime.create(options)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/^runc 1\.0 \(.*old-runc\) has no /),
    details: wish,
  })
})

test('a binary that is no runtime is recognised', async () => {
  await using harness = await openRuncHarness({binary: '/bin/true'})
  const options = await harness.prepare(['true'])
  await expect(harness.runtime.create(options)).rejects.toMatchObject({
    code: 'RUNC_CREATE_FAILED',
    message: '/bin/true create: it ended without an error and named no process: expected an OCI runtime such as runc',
  })
  await expect(harness.runtime.state(options.id)).rejects.toMatchObject({
    code: 'RUNC_STATE_FAILED',
    message: expect.stringMatching(/expected an OCI runtime/),
  })
})

test.each([
  ['/bin/cat', '/bin/cat create: exit status 1', "unrecognized option '--root'"],
  ['#!/bin/sh\necho I am no runtime >&2\n', 'it ended without an error and named no process', 'I am no runtime'],
])('what a binary that is no runtime writes to stderr is in the message: %s', async (program, failure, words) => {
  await using dir = makeTempDir()
  const script = join(dir.path, 'script')
  writeFileSync(script, program, {mode: 0o755})
  await using harness = await openRuncHarness({binary: program.startsWith('/') ? program : script})
  const created = harness.runtime.create(await harness.prepare(['true']))
  await expect(created).rejects.toMatchObject({code: 'RUNC_CREATE_FAILED', message: expect.stringContaining(failure)})
  await expect(created).rejects.toMatchObject({message: expect.stringContaining(words)})
})

test('a limit of open files with which runc cannot start a program is named', async () => {
  await using harness = await openRuncHarness()
  const options = await harness.prepare(['true'])
  const file = join(options.bundle, 'config.json')
  const spec = JSON.parse(readFileSync(file, 'utf8'))
  const rlimits = [{type: 'RLIMIT_NOFILE', soft: 4, hard: 4}]
  writeFileSync(file, JSON.stringify({...spec, process: {...spec.process, rlimits}}))
  const message = expect.stringContaining('expected a limit of open files (nofile) that lets the runtime start a program, got 4')
  await expect(harness.runtime.create(options)).rejects.toMatchObject({code: 'RUNC_CREATE_FAILED', message})
})

test('a file that no interpreter takes is found out by init alone, after start has succeeded', async () => {
  await using harness = await openRuncHarness()
  const program = join(harness.rootfs, 'bin/no-format')
  writeFileSync(program, 'neither ELF nor a script\n')
  chmodSync(program, 0o755)
  const options = await harness.prepare(['/bin/no-format'])
  const {exit} = await harness.create(options)
  await harness.runtime.start(options.id)
  const status = await exit
  expect(status.type === 'code' && status.code).toBeGreaterThan(0)
  expect(harness.output()).toMatch(/exec format error/)
})
