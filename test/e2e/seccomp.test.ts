/** The seccomp filter of a container is there, or an error says that it is not. */
import {execFileSync} from 'node:child_process'
import {chmodSync, readFileSync, realpathSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView, NodeInfo} from '../../machines/views/view.ts'
import {useNode} from '../support/tally-node.ts'

const node = useNode()

const run = (options: readonly string[], script: string) =>
  node.tally('run', '--rm', '--rootfs', node.rootfs, ...options, '--', 'sh', '-c', script)
const modeOf = async (...options: readonly string[]) => (await run(options, 'grep Seccomp: /proc/self/status')).stdout.trim().at(-1)
const isFiltered = '2'

function write(name: string, profile: object): string {
  const path = join(node.dir, name)
  writeFileSync(path, JSON.stringify(profile))
  return path
}

async function inspect(...options: readonly string[]): Promise<ContainerView> {
  const {stdout} = await node.tally('create', '--rootfs', node.rootfs, ...options, 'true')
  const view = await node.json<ContainerView>('inspect', stdout.trim())
  await node.tally('rm', stdout.trim())
  return view
}

describe('the filter of system calls', () => {
  it('is there by default', async () => {
    expect(await modeOf()).toBe(isFiltered)
    expect((await run([], 'unshare -Urm sh -c "mount -t tmpfs x /tmp && echo mounted"')).stdout).not.toContain('mounted')
  })

  it('denies what takes a capability that the container lacks, and lets the rest be', async () => {
    const project = join(import.meta.dirname, '../..')
    const program = join(project, 'test/fixtures/programs/system-calls.ts')
    const node24 = realpathSync(process.execPath)
    const mounts = ['/usr', '/lib', '/lib64', project, dirname(node24)].flatMap((path) => ['-v', `${path}:${path}:ro`])
    const probe = async (...options: readonly string[]) => {
      const {stdout, stderr} = await node.tally('run', '--rm', '--rootfs', node.rootfs, ...mounts, ...options, '--', node24, program)
      expect(stderr).toBe('')
      return Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ')),
      )
    }
    const denied =
      'unshare setns mount fsopen keyctl add_key bpf io_uring_setup userfaultfd kcmp personality socket_alg socket_vsock open_by_handle_at clone_newuser'
    expect(await probe()).toEqual({
      ...Object.fromEntries(denied.split(' ').map((name) => [name, 'EPERM'])),
      clone3: 'ENOSYS',
      getpid: 'ok',
      socket_unix: 'ok',
      personality_query: 'ok',
    })
    const admin = await probe('--cap-add', 'SYS_ADMIN')
    expect(admin).toMatchObject({keyctl: 'EPERM', io_uring_setup: 'EPERM', kcmp: 'EPERM', userfaultfd: 'EPERM', unshare: 'ok'})
    for (const name of ['setns', 'mount', 'fsopen', 'bpf', 'clone3']) expect(admin[name]).not.toMatch(/EPERM|ENOSYS/)
    expect((await probe('--cap-add', 'SYS_PTRACE'))['kcmp']).not.toBe('EPERM')
  })

  it('is absent when it is switched off, and in a privileged container', async () => {
    expect(await modeOf('--security-opt', 'seccomp=unconfined')).toBe('0')
    expect(await modeOf('--privileged')).toBe('0')
    expect(await modeOf('--privileged', '--security-opt', 'seccomp=builtin')).toBe(isFiltered)
  })

  it('is named by inspect and by info', async () => {
    const profile = write('mine.json', {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{names: ['chroot'], action: 'SCMP_ACT_ERRNO'}]})
    expect((await inspect()).confinement).toMatchObject({seccomp: 'default', noNewPrivileges: true, masked: true})
    expect((await inspect('--security-opt', `seccomp=${profile}`)).confinement).toMatchObject({seccomp: profile})
    expect((await inspect('--privileged')).confinement).toMatchObject({seccomp: 'unconfined', noNewPrivileges: false, masked: false})
    expect((await node.json<NodeInfo>('info')).confinement?.seccomp).toBe('default')
    expect((await node.tally('info')).stdout).toMatch(/^Seccomp +default$/m)
  })

  it('holds for added processes as well', async () => {
    await node.tally('run', '-d', '--name', 'filtered', '--rootfs', node.rootfs, 'sleep', '600')
    expect((await node.tally('exec', 'filtered', 'grep', 'Seccomp:', '/proc/self/status')).stdout.trim()).toMatch(/2$/)
    await node.tally('rm', '-f', 'filtered')
  })
})

describe('a profile of the user', () => {
  const allow = {defaultAction: 'SCMP_ACT_ALLOW'}

  it('depends on the kernel where it says so', async () => {
    const denied = (includes: object) => ({...allow, syscalls: [{names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', ...includes}]})
    const mkdir = async (includes: object) =>
      (await run(['--security-opt', `seccomp=${write('k.json', denied(includes))}`], 'mkdir /tmp/x')).exitCode
    expect(await mkdir({includes: {minKernel: '4.8'}})).not.toBe(0)
    expect(await mkdir({includes: {minKernel: '99.0'}})).toBe(0)
    expect(await mkdir({excludes: {minKernel: '4.8'}})).toBe(0)
  })

  it('has its architectures in what the runtime is given', async () => {
    const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']
    const options = ['--security-opt', `seccomp=${write('architectures.json', {...allow, architectures, syscalls: []})}`]
    const {stdout, stderr} = await node.tally('create', '--rootfs', node.rootfs, ...options, 'true')
    expect(stderr).toBe('')
    const config = JSON.parse(readFileSync(join(node.stateDir, 'containers/default', stdout.trim(), 'config.json'), 'utf8'))
    expect(config.linux.seccomp).toMatchObject({architectures})
    await node.tally('rm', stdout.trim())
  })

  it.each([
    [{flags: ['SECCOMP_FILTER_FLAG_LOG'], syscalls: [{names: ['mkdir'], action: 'SCMP_ACT_LOG'}]}, /flags/],
    [{listenerPath: '/none/l.sock', syscalls: [{names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY'}]}, /listener|l\.sock/i],
  ])('has its flags and its listener, or the runtime refuses them: %j', async (fields, named) => {
    const {exitCode, stderr} = await run(['--security-opt', `seccomp=${write('flags.json', {...allow, ...fields})}`], 'echo')
    // runc before 1.2 knows no flags.
    expect(exitCode === 0 && !('listenerPath' in fields) ? named.source : stderr).toMatch(named)
  })

  it.each([
    [{...allow, syscalls: [], newField: 1}, 'newField'],
    [{...allow, syscalls: [{names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errno: 'ENOTHING'}]}, 'ENOTHING'],
    [{...allow, syscalls: [], architectures: ['SCMP_ARCH_X86'], archMap: []}, 'architectures'],
    [{...allow, syscalls: [{names: ['mkdir'], action: 'SCMP_ACT_ERRNO', includes: {minKernel: 'new'}}]}, 'minKernel'],
  ])('is refused when it says what cannot be done: %j', async (profile, named) => {
    const {exitCode, stderr} = await run(['--security-opt', `seccomp=${write('bad.json', profile)}`], 'true')
    expect(stderr).toContain('[INVALID_REQUEST]')
    expect(stderr).toContain(named)
    expect(exitCode).toBe(125)
  })
})

describe('a runtime without seccomp', () => {
  it('is refused with a sentence, unless no filter is wanted', async () => {
    const runtime = join(node.dir, 'plain-runc')
    const runc = execFileSync('which', ['runc'], {encoding: 'utf8'}).trim()
    writeFileSync(
      runtime,
      `#!/bin/sh\n[ "$1" = features ] && { echo '{"ociVersionMin":"1.0.0","linux":{"seccomp":{"enabled":false}}}'; exit; }\nexec ${runc} "$@"\n`,
    )
    chmodSync(runtime, 0o755)
    const {exitCode, stderr} = await run(['--runtime', runtime], 'true')
    expect(stderr).toMatch(/seccomp.*--security-opt seccomp=unconfined.*\[UNSUPPORTED\]/)
    expect(exitCode).toBe(125)
    expect((await run(['--runtime', runtime, '--security-opt', 'seccomp=unconfined'], 'true')).exitCode).toBe(0)
  })
})
