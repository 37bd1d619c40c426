/** The contract of the port: every OCI runtime adapter must pass these tests. */
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {readCgroupDirectories, readCgroupProcesses} from '../../src/linux/cgroup.ts'
import {readCgroupStats} from '../../src/linux/cgroup-stats.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {type ChildExit, peekChild} from '../../src/linux/wait.ts'
import type {RuntimeCreateOptions} from '../../src/runtime/oci-runtime.ts'
import type {RuntimeHarness} from '../support/runtime-harness.ts'

const soon = {interval: 10, timeout: 60_000}

export function describeOciRuntime(name: string, open: () => Promise<RuntimeHarness>): void {
  describe(name, () => {
    let harness: RuntimeHarness

    beforeEach(async () => {
      harness = await open()
    })

    afterEach(() => harness[Symbol.asyncDispose]())

    async function create(
      ...args: readonly string[]
    ): Promise<{readonly id: string; readonly pid: number; readonly exit: Promise<ChildExit>}> {
      const options = await harness.prepare(args)
      return {id: options.id, ...(await harness.create(options))}
    }

    async function createFailing(options: RuntimeCreateOptions): Promise<unknown> {
      return harness.create(options).then(
        () => 'it was made',
        (error: unknown) => error,
      )
    }

    test('create leaves init as a child of the caller, waiting for the start', async () => {
      const options = await harness.prepare(['sh', '-c', 'echo ran'])
      const {pid} = await harness.create(options)
      expect(readProcessStat(pid)?.parentPid).toBe(process.pid)
      expect(peekChild(pid)).toEqual({type: 'running'})
      expect(await harness.runtime.state(options.id)).toEqual({status: 'created', pid})
      expect(existsSync(options.pidFile)).toBe(false)
      expect(harness.output()).toBe('')
    })

    test('start lets init execute the program, with the output and exit code of the program', async () => {
      const {id, exit} = await create('sh', '-c', 'echo out; echo err >&2; read line || echo no input; exit 7')
      await harness.runtime.start(id)
      expect(await exit).toEqual({type: 'code', code: 7})
      expect(harness.output()).toBe('out\nerr\nno input\n')
      expect(await harness.runtime.state(id)).toMatchObject({status: 'stopped'})
    })

    test('a running container has cgroups of its own, which are removed with it', async () => {
      const {id, pid} = await create('sleep', '1000')
      await harness.runtime.start(id)
      expect(await harness.runtime.state(id)).toEqual({status: 'running', pid})
      const groups = readCgroupDirectories(pid)
      expect(groups.length).toBeGreaterThan(0)
      expect(groups.flatMap(readCgroupProcesses)).toEqual(groups.map(() => pid))
      await harness.runtime.delete(id, {force: true})
      expect(groups.filter((group) => existsSync(group))).toEqual([])
    })

    test('a signal reaches init, which can handle it', async () => {
      const {id, exit} = await create('sh', '-c', 'trap "exit 3" USR1; echo ready; while :; do sleep 0.05; done')
      await harness.runtime.start(id)
      await expect.poll(() => harness.output(), soon).toBe('ready\n')
      await harness.runtime.kill(id, 'SIGUSR1')
      expect(await exit).toEqual({type: 'code', code: 3})
    })

    test('SIGKILL kills init, also before the start', async () => {
      const [running, created] = [await create('sleep', '1000'), await create('sleep', '1000')]
      await harness.runtime.start(running.id)
      for (const {id, exit} of [running, created]) {
        await harness.runtime.kill(id, 'SIGKILL')
        expect(await exit).toEqual({type: 'signal', signalNumber: 9, coreDumped: false})
      }
    })

    test('signalling an ended init fails with RUNC_KILL_FAILED and says that it has ended', async () => {
      const {id, exit} = await create('true')
      await harness.runtime.start(id)
      await exit
      await expect(harness.runtime.kill(id, 'SIGTERM')).rejects.toMatchObject({code: 'RUNC_KILL_FAILED', details: {finished: true}})
    })

    test('starting a started container fails with RUNC_START_FAILED', async () => {
      const {id} = await create('sleep', '1000')
      await harness.runtime.start(id)
      await expect(harness.runtime.start(id)).rejects.toMatchObject({code: 'RUNC_START_FAILED', kind: 'precondition'})
    })

    test('an unknown id has no state and cannot be started or signalled', async () => {
      expect(await harness.runtime.state('nobody')).toBeUndefined()
      await expect(harness.runtime.start('nobody')).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
      await expect(harness.runtime.kill('nobody', 'SIGTERM')).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
    })

    test('delete is idempotent, also for an unknown id', async () => {
      const {id, exit} = await create('true')
      await harness.runtime.start(id)
      await exit
      await harness.runtime.delete(id)
      expect(await harness.runtime.state(id)).toBeUndefined()
      await harness.runtime.delete(id)
      await harness.runtime.delete(id, {force: true})
      await harness.runtime.delete('nobody')
    })

    test('a running container is deleted only by force', async () => {
      const {id, exit} = await create('sleep', '1000')
      await harness.runtime.start(id)
      await expect(harness.runtime.delete(id)).rejects.toMatchObject({code: 'RUNC_DELETE_FAILED'})
      expect(await harness.runtime.state(id)).toMatchObject({status: 'running'})
      await harness.runtime.delete(id, {force: true})
      expect(await exit).toEqual({type: 'signal', signalNumber: 9, coreDumped: false})
      expect(await harness.runtime.state(id)).toBeUndefined()
    })

    test('creating a used id fails with CONTAINER_EXISTS, and its container runs on', async () => {
      const {id, pid} = await create('sleep', '1000')
      await harness.runtime.start(id)
      const second = {...(await harness.prepare(['sleep', '1'])), id}
      expect(await createFailing(second)).toMatchObject({code: 'CONTAINER_EXISTS', kind: 'already_exists'})
      expect(await harness.runtime.state(id)).toEqual({status: 'running', pid})
    })

    test('several containers can be created at once, each with its own init', async () => {
      const made = await Promise.all([1, 2, 3, 4].map((code) => create('sh', '-c', `exit ${code}`)))
      await Promise.all(made.map(({id}) => harness.runtime.start(id)))
      const exits = await Promise.all(made.map(({exit}) => exit))
      expect(exits).toEqual([1, 2, 3, 4].map((code) => ({type: 'code', code})))
    })

    test.each<[string, string, readonly string[]]>([
      ['a command that is not in the PATH', 'COMMAND_NOT_FOUND', ['nothing-of-this-name']],
      ['a command whose path does not exist', 'COMMAND_NOT_FOUND', ['/bin/nothing-of-this-name']],
      ['a command that is not executable', 'COMMAND_NOT_EXECUTABLE', ['/etc/passwd']],
      ['a command that is a directory', 'COMMAND_NOT_EXECUTABLE', ['/bin']],
    ])('%s fails with %s before anything is started, and leaves nothing behind', async (_what, code, args) => {
      const options = await harness.prepare(args)
      expect(await createFailing(options)).toMatchObject({code, kind: 'invalid'})
      expect(await harness.runtime.state(options.id)).toBeUndefined()
      expect(existsSync(options.pidFile)).toBe(false)
      await harness.expectNothingLeft()
    })

    test('a bundle without a config.json or without its root fails and leaves nothing behind', async () => {
      const options = await harness.prepare(['true'])
      const config = join(options.bundle, 'config.json')
      const spec = readFileSync(config, 'utf8')
      rmSync(config)
      expect(await createFailing(options)).toMatchObject({code: 'BUNDLE_INVALID', kind: 'invalid'})
      writeFileSync(config, spec.replace(harness.rootfs, '/nonexistent/rootfs'))
      expect(await createFailing(options)).toMatchObject({code: 'ROOTFS_INVALID', kind: 'invalid'})
      await harness.expectNothingLeft()
    })

    test('a create with a failing mount leaves nothing behind', async () => {
      const options = await harness.prepare(['true'])
      const config = join(options.bundle, 'config.json')
      const spec = JSON.parse(readFileSync(config, 'utf8'))
      mkdirSync(join(harness.rootfs, 'mnt'), {recursive: true})
      spec.mounts.push({destination: '/mnt', type: 'bind', source: '/nonexistent/source', options: ['bind']})
      writeFileSync(config, JSON.stringify(spec))
      expect(await createFailing(options)).toMatchObject({kind: expect.stringMatching(/precondition|invalid/)})
      expect(await harness.runtime.state(options.id)).toBeUndefined()
      await harness.expectNothingLeft()
    })

    test('limits can be changed before the start, while running, and while paused', async () => {
      const {id, pid} = await create('sleep', '1000')
      const limitOf = () => readCgroupStats(readCgroupDirectories(pid)).pids?.limit
      await harness.runtime.update(id, {pids: {limit: 10}})
      expect(limitOf()).toBe(10)
      await harness.runtime.start(id)
      await harness.runtime.update(id, {pids: {limit: 20}, memory: {limit: 64 * 1024 ** 2}, cpu: {quota: 50_000, period: 100_000}})
      expect(readCgroupStats(readCgroupDirectories(pid))).toMatchObject({pids: {limit: 20}, memory: {limitBytes: 64 * 1024 ** 2}})
      await harness.runtime.pause(id)
      await harness.runtime.update(id, {pids: {limit: -1}})
      expect(limitOf()).toBeUndefined()
      expect(await harness.runtime.state(id)).toMatchObject({status: 'paused'})
      await harness.runtime.resume(id)
    })

    test('an update fails for limits that the kernel rejects, and for an ended or unknown container', async () => {
      const {id, exit} = await create('sleep', '1000')
      await harness.runtime.start(id)
      await expect(harness.runtime.update(id, {cpu: {cpus: '4000'}})).rejects.toMatchObject({code: 'RUNC_UPDATE_FAILED'})
      await harness.runtime.kill(id, 'SIGKILL')
      await exit
      await expect(harness.runtime.update(id, {pids: {limit: 5}})).rejects.toMatchObject({
        code: 'RUNC_UPDATE_FAILED',
        details: {finished: true},
      })
      await expect(harness.runtime.update('nobody', {pids: {limit: 5}})).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
    })

    test('the runtime reports its name and version', async () => {
      const {name: runtime, version} = await harness.runtime.version()
      expect([runtime, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+/)])
    })
  })
}
