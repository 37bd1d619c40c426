/** Programs that the kernel does not execute: 126 and 127, whatever the runtime makes of it, and why. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const foreign = Buffer.alloc(64)
foreign.write('\x7fELF\x02\x01\x01', 'latin1')
foreign.writeUInt16LE(2, 16)
foreign.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)

const programs: Readonly<Record<string, string | Buffer>> = {
  orphan: '#!/nope\n',
  crlf: '#!/bin/sh\r\necho hi\r\n',
  text: 'echo hi\n',
  foreign,
  empty: '',
  fine: '#!/bin/sh\nexit 7\n',
}
const cases: readonly (readonly [string, number, RegExp])[] = [
  ['/opt/orphan', 127, /^tally: \/opt\/orphan needs "\/nope", which does not exist in the container \[COMMAND_NOT_FOUND\]$/m],
  ['/opt/crlf', 127, /^tally: \/opt\/crlf needs "\/bin\/sh\\r", which does not exist in the container \[COMMAND_NOT_FOUND\]$/m],
  ['/opt/text', 126, /^tally: \/opt\/text is neither a program of Linux nor a script .* \[COMMAND_NOT_EXECUTABLE\]$/m],
  ['/opt/foreign', 126, /^tally: \/opt\/foreign is a program for \w+, and this host is \w+ \[COMMAND_NOT_EXECUTABLE\]$/m],
  ['/opt/empty', 126, /\[COMMAND_NOT_EXECUTABLE\]$/m],
  ['/vol/orphan', 127, /^tally: \/vol\/orphan needs "\/nope"/m],
  ['/none', 127, /\[COMMAND_NOT_FOUND\]$/m],
  ['none', 127, /\[COMMAND_NOT_FOUND\]$/m],
  ['/etc/passwd', 126, /\[COMMAND_NOT_EXECUTABLE\]$/m],
  ['/etc', 126, /\[COMMAND_NOT_EXECUTABLE\]$/m],
  ['/vol/fine', 7, /^$/],
]

const node = useNode()
let volume: string
beforeAll(async () => {
  volume = join(node.dir, 'volume')
  for (const directory of [volume, join(node.rootfs, 'opt')]) {
    mkdirSync(directory, {recursive: true})
    for (const [name, content] of Object.entries(programs)) {
      writeFileSync(join(directory, name), content)
      chmodSync(join(directory, name), 0o755)
    }
  }
  const made = await node.tally('run', '-d', '--name', 'box', '-v', `${volume}:/vol`, '--rootfs', node.rootfs, 'sleep', '600')
  expect(made).toMatchObject({exitCode: 0})
})

describe('a program that is not executed', () => {
  it.each(cases)('run %s exits with %d, says why, and leaves nothing', async (program, exitCode, stderr) => {
    const ran = await node.tally('run', '--rm', '--name', 'one', '-v', `${volume}:/vol`, '--rootfs', node.rootfs, program)
    expect(ran).toMatchObject({exitCode, stdout: '', stderr: expect.stringMatching(stderr)})
    await eventually('removed', async () => (await node.json<readonly unknown[]>('ps', '-a')).length === 1)
  })

  it.each(cases)('exec %s exits with %d, says why, and leaves nothing', async (program, exitCode, stderr) => {
    const ran = await node.tally('exec', 'box', program)
    expect(ran).toMatchObject({exitCode, stdout: '', stderr: expect.stringMatching(stderr)})
    await eventually('removed', async () => (await node.json<readonly unknown[]>('execs', 'box')).length === 0)
  })

  it('is a start that has failed, in the ledger as well; the container can be removed', async () => {
    const ran = await node.tally('run', '-d', '--name', 'kept', '--rootfs', node.rootfs, '/opt/orphan')
    expect(ran).toMatchObject({exitCode: 127, stdout: ''})
    await node.tally('wait', 'kept')
    const types = (await node.events('kept')).map(({type}) => type)
    expect(types).toEqual(expect.arrayContaining(['container.start-failed', 'container.exited']))
    expect(types).not.toContain('container.started')
    expect(await node.tally('rm', 'kept')).toMatchObject({exitCode: 0})
  })

  it('fails the health check that it is', async () => {
    const args = ['--health-cmd', 'exec /opt/orphan', '--health-interval', '200ms', '--health-retries', '1']
    await node.tally('run', '-d', '--name', 'ill', ...args, '--rootfs', node.rootfs, 'sleep', '600')
    await eventually('unhealthy', async () =>
      (await node.events('ill')).some((event) => event.type === 'container.health-changed' && event.data.status === 'unhealthy'),
    )
    expect(await node.tally('rm', '-f', 'ill')).toMatchObject({exitCode: 0})
  })
})

describe('what the runtime says', () => {
  it.each([
    ['exec', ['exec', '-w', '/none', 'box', 'true'], /working|chdir to cwd \("\/none"\) failed/, 'RUNC_EXEC_FAILED'],
    ['a source of that name', ['-v', 'DIR/config.json:/etc'], /config\.json/, 'RUNC_CREATE_FAILED'],
    ['a source of another', ['-v', 'DIR/no matching entries in passwd file:/etc'], /passwd file/, 'RUNC_CREATE_FAILED'],
    ['a runtime that is none', ['--runtime', '/bin/true'], /expected an OCI runtime such as runc/, 'RUNC_CREATE_FAILED'],
    ['a runtime that is another program', ['--runtime', '/bin/cat'], /it wrote to stderr: .*unrecognized option/, 'RUNC_CREATE_FAILED'],
    ['open files', ['--ulimit', 'nofile=4'], /limit of open files \(nofile\) that lets .*, got 4 \[/, 'RUNC_CREATE_FAILED'],
    ['a runtime that is a text', ['--runtime', '/etc/passwd'], /cannot execute the OCI runtime/, 'RUNTIME_NOT_FOUND'],
  ])("is not looked at for what is the user's: %s", async (_, args, message, code) => {
    for (const name of ['config.json', 'no matching entries in passwd file']) writeFileSync(join(node.dir, name), '')
    const given = args.map((arg) => arg.replace('DIR', node.dir))
    const line = args[0] === 'exec' ? args : ['run', '--rm', ...given, '--rootfs', node.rootfs, 'true']
    const {exitCode, stderr} = await node.tally(...line)
    expect(stderr).toMatch(message)
    expect(stderr).toContain(`[${code}]`)
    expect(exitCode).toBe(125)
    await eventually('removed', async () => (await node.json<readonly unknown[]>('ps', '-a')).length === 1)
  })
})

describe('a namespace of time', () => {
  it('is had where the runtime has it, and refused with a sentence where not', async () => {
    const bundle = join(node.dir, 'time-bundle')
    mkdirSync(bundle)
    execFileSync('runc', ['spec', '--bundle', bundle])
    const config = join(bundle, 'config.json')
    const spec = JSON.parse(readFileSync(config, 'utf8'))
    spec.root.path = node.rootfs
    Object.assign(spec.process, {terminal: false, args: ['true']})
    spec.linux.namespaces.push({type: 'time'})
    writeFileSync(config, JSON.stringify(spec))
    const {linux} = JSON.parse(execFileSync('runc', ['features'], {encoding: 'utf8'}))
    const {exitCode, stderr} = await node.tally('run', '--rm', '--bundle', bundle)
    if (linux.namespaces.includes('time')) expect([exitCode, stderr]).toEqual([0, ''])
    else
      expect([exitCode, stderr]).toEqual([
        125,
        expect.stringMatching(/^tally: runc \S+ \(runc\) has no namespace "time": it knows .*cgroup.* \[UNSUPPORTED\]\n$/),
      ])
  })
})
