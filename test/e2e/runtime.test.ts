import {chmodSync, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

const run = (...args: readonly string[]) => node.tally('run', '--rm', '--rootfs', node.rootfs, ...args)

function writeRuntime(name: string, script: string): string {
  const path = join(node.dir, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

describe.concurrent('the runtime of a container', () => {
  it('is called as it was asked for, also by the next supervisor', async () => {
    const calls = join(node.dir, 'calls')
    const runtime = writeRuntime('noting', `echo "$@" >> ${calls}; exec runc "$@"`)
    const root = join(node.dir, 'runtime-root')
    const made = await node.tally(
      'run',
      '-d',
      '--name',
      'special',
      '--runtime',
      runtime,
      '--runtime-root',
      root,
      '--no-pivot',
      '--no-new-keyring',
      '--rootfs',
      node.rootfs,
      'sleep',
      '600',
    )
    expect(made).toMatchObject({exitCode: 0})
    expect(readdirSync(root)).toEqual(['special'])
    expect(readFileSync(calls, 'utf8')).toMatch(/ create .*--no-pivot --no-new-keyring special$/m)
    const {supervisorPid, runtime: shown} = await node.json<ContainerView>('inspect', 'special')
    expect(shown).toEqual({binary: runtime, root, noPivot: true, noNewKeyring: true})
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('special')).some(({type}) => type === 'supervisor.adopted'))
    expect((await node.tally('rm', '-f', 'special')).exitCode).toBe(0)
    expect(readdirSync(root)).toEqual([])
    expect(readFileSync(calls, 'utf8')).toMatch(/ delete --force special$/m)
  })

  it('that does not exist is named, and nothing is left', async () => {
    const ran = await run('--runtime', 'no-such-runtime', '--name', 'lost', 'true')
    expect(ran.exitCode).toBe(125)
    expect(ran.stderr).toMatch(/cannot execute the OCI runtime no-such-runtime .*\[RUNTIME_NOT_FOUND\]/)
    expect(existsSync(join(node.stateDir, 'containers/default/lost'))).toBe(false)
  })

  it('uses systemd where that runs, and says so where it does not', async () => {
    const ran = await run('--systemd-cgroup', 'true')
    if (existsSync('/run/systemd/system')) expect(ran.exitCode).toBe(0)
    else expect(ran.stderr).toContain('[UNSUPPORTED]')
  })

  it.each(['0.005', '0.02', '0.05'])('that is killed %s seconds into a create is an error, and leaves nothing', async (after) => {
    const id = `torn-${after.slice(2)}`
    const runtime = writeRuntime(
      `killed-${after}`,
      `case " $* " in *" create "*) runc "$@" & sleep ${after}; kill -9 $!; wait $!; exit 137;; esac; exec runc "$@"`,
    )
    const ran = await run('--runtime', runtime, '--name', id, 'true')
    expect(ran.exitCode).toBe(125)
    expect(ran.stderr).toMatch(/\[RUNC_CREATE_FAILED\]/)
    expect((await node.tally('ps', '-a', '-q')).stdout).not.toContain(id)
    expect(existsSync(join(node.stateDir, 'containers/default', id))).toBe(false)
  })

  it('that fails to delete what is to remove itself is called again until it does', async () => {
    const calls = join(node.dir, 'deletes')
    const runtime = writeRuntime(
      'undeleting',
      `case " $* " in *" delete "*) echo >> ${calls}; [ $(wc -l < ${calls}) -gt 3 ] || exit 1;; esac; exec runc "$@"`,
    )
    expect(await run('--runtime', runtime, '--name', 'clinging', 'true')).toMatchObject({exitCode: 0})
    const dir = join(node.stateDir, 'containers/default/clinging')
    await eventually('it is deleted', () => !existsSync(dir))
    const types = (await node.events('clinging')).map(({type}) => type)
    expect(types.filter((type) => type === 'container.delete-failed')).toHaveLength(3)
    expect(types.at(-1)).toBe('container.deleted')
  })

  it('that hangs in a start is given up after its deadline, and delays no other', async () => {
    const runtime = writeRuntime('hanging', `case " $* " in *" start "*) exec sleep 100;; esac; exec runc "$@"`)
    const hung = node.tally('run', '-d', '--runtime', runtime, '--name', 'hung', '--rootfs', node.rootfs, 'sleep', '600')
    const last = async () => (await node.events('hung')).at(-1)?.type
    await eventually('it hangs', async () => (await last()) === 'container.start-requested')
    expect(await run('true')).toMatchObject({exitCode: 0})
    expect(await last()).toBe('container.start-requested')
    const ran = await hung
    expect(ran.stderr).toMatch(/start did not end within 30000 ms and was killed \[RUNTIME_TIMEOUT\]/)
    expect(await last()).toBe('container.start-failed')
    expect((await node.tally('rm', '-f', 'hung')).exitCode).toBe(0)
  })
})
