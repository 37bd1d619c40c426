import {describe, expect, it} from 'vitest'
import {rootfsRequestSchema} from '../../../machines/schemas/create-request.ts'
import {defaultCapabilities, defaultMounts, maskedPaths, readonlyPaths} from '../../../src/runtime/spec/defaults.ts'
import {parseSeccompProfile} from '../../../src/runtime/spec/seccomp-profile.ts'
import {generateSpec, type SpecInputs} from '../../../src/runtime/spec/generate.ts'

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const root = {uid: 0, gid: 0, additionalGids: [], home: '/root'}
const host = {capabilities: new Set<string>(defaultCapabilities), cgroupNamespace: true, architecture: 'x64', kernel: '6.1.0'}

function specOf(request: object = {}, inputs: Partial<SpecInputs> = {}) {
  return generateSpec({
    request: rootfsRequestSchema.parse({rootfs: '/srv/rootfs', args: ['sh', '-c', 'true'], ...request}),
    rootfs: '/srv/rootfs',
    containerId: 'web',
    cgroupsPath: '/tally/default-web',
    user: root,
    host,
    ...inputs,
  })
}

describe('the generated spec', () => {
  it('has the open files of the host, unless others are asked for, and the oom_score_adj that it allows', () => {
    const inputs = {host: {...host, openFiles: {soft: 1024, hard: 20_000}, oomScore: 500}}
    expect(specOf({}, inputs).process).toMatchObject({oomScoreAdj: 500, rlimits: [{type: 'RLIMIT_NOFILE', soft: 1024, hard: 20_000}]})
    const asked = {ulimits: [{name: 'nofile', soft: 10, hard: 20}]} as const
    expect(specOf(asked, inputs).process.rlimits).toEqual([{type: 'RLIMIT_NOFILE', soft: 10, hard: 20}])
  })

  it('of a small request is docker-like in every field', () => {
    expect(specOf()).toStrictEqual({
      ociVersion: '1.0.2',
      process: {
        terminal: false,
        user: {uid: 0, gid: 0},
        args: ['sh', '-c', 'true'],
        env: [path, 'HOSTNAME=web', 'HOME=/root'],
        cwd: '/',
        capabilities: {bounding: [...defaultCapabilities], effective: [...defaultCapabilities], permitted: [...defaultCapabilities]},
        oomScoreAdj: 0,
        noNewPrivileges: true,
      },
      root: {path: '/srv/rootfs'},
      hostname: 'web',
      mounts: defaultMounts,
      linux: {
        namespaces: [{type: 'pid'}, {type: 'ipc'}, {type: 'uts'}, {type: 'mount'}, {type: 'network'}, {type: 'cgroup'}],
        cgroupsPath: '/tally/default-web',
        maskedPaths,
        readonlyPaths,
        resources: {devices: [{allow: false, access: 'rwm'}]},
      },
    })
  })

  it('hides kernel memory and keeps sysctls and cgroups read-only', () => {
    const {mounts, linux} = specOf()
    expect(linux.maskedPaths).toContain('/proc/kcore')
    expect(linux.readonlyPaths).toContain('/proc/sys')
    expect(mounts.find(({destination}) => destination === '/sys/fs/cgroup')?.options).toContain('ro')
    expect(mounts.map(({destination}) => destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/sys/fs/cgroup',
      '/dev/mqueue',
      '/dev/shm',
    ])
  })

  it('leaves out capabilities that the host lacks, in every set', () => {
    const capabilities = new Set(['CAP_KILL', 'CAP_CHOWN', 'CAP_SYS_ADMIN'])
    expect(specOf({}, {host: {...host, capabilities}}).process.capabilities).toEqual({
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN', 'CAP_KILL'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
    })
  })

  it('gives a user other than root capabilities in the bounding set only', () => {
    const {process} = specOf({}, {user: {uid: 1000, gid: 1000, additionalGids: [27, 44], home: '/home/ann'}})
    expect(process.capabilities).toEqual({bounding: [...defaultCapabilities], effective: [], permitted: []})
    expect(process.user).toStrictEqual({uid: 1000, gid: 1000, additionalGids: [27, 44]})
    expect(process.env).toContain('HOME=/home/ann')
  })

  it('shares the network of the host when asked to, and nothing else', () => {
    const types = specOf({network: 'host'}).linux.namespaces.map(({type}) => type)
    expect(types).toEqual(['pid', 'ipc', 'uts', 'mount', 'cgroup'])
  })

  it('asks for no cgroup namespace where the kernel has none', () => {
    const types = specOf({}, {host: {...host, cgroupNamespace: false}}).linux.namespaces.map(({type}) => type)
    expect(types).toEqual(['pid', 'ipc', 'uts', 'mount', 'network'])
  })

  it('has the host name that was asked for, also in the environment', () => {
    const spec = specOf({hostname: 'db.example'})
    expect(spec.hostname).toBe('db.example')
    expect(spec.process.env).toEqual([path, 'HOSTNAME=db.example', 'HOME=/root'])
  })

  it('takes working directory and command as they are', () => {
    expect(specOf({cwd: '/tmp', args: ['', 'a b']}).process).toMatchObject({cwd: '/tmp', args: ['', 'a b']})
  })
})

describe('the environment', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], [path, 'HOSTNAME=web', 'HOME=/root']],
    [
      ['A=1', 'B=2'],
      [path, 'HOSTNAME=web', 'HOME=/root', 'A=1', 'B=2'],
    ],
    [
      ['HOME=/h', 'PATH=/bin', 'HOSTNAME=x'],
      ['HOME=/h', 'PATH=/bin', 'HOSTNAME=x'],
    ],
    [['PATH='], ['HOSTNAME=web', 'HOME=/root', 'PATH=']],
    [['PATHS=/x'], [path, 'HOSTNAME=web', 'HOME=/root', 'PATHS=/x']],
    [
      ['A=1', 'A=2'],
      [path, 'HOSTNAME=web', 'HOME=/root', 'A=1', 'A=2'],
    ],
  ])('of %j is %j', (env, expected) => {
    expect(specOf({env}).process.env).toEqual(expected)
  })
})

describe('seccomp', () => {
  const profile = parseSeccompProfile({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      {names: ['read'], action: 'SCMP_ACT_ALLOW'},
      {names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: {caps: ['CAP_SYS_ADMIN']}},
    ],
  })
  const findings = {namespacePaths: {}, devices: [], seccomp: {name: '/p', profile}}

  it('is the profile that was found', () => {
    expect(specOf({}, {findings}).linux.seccomp).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [{names: ['read'], action: 'SCMP_ACT_ALLOW'}],
    })
  })

  it('is not left out on an unknown machine', () => {
    expect(() => specOf({}, {findings, host: {...host, architecture: 'sparc'}})).toThrow('no seccomp profile is known for sparc machines')
  })

  it('is decided by the capabilities that the container gets, not by those of the host', () => {
    const capabilities = new Set([...defaultCapabilities, 'CAP_SYS_ADMIN'])
    expect(specOf({}, {findings, host: {...host, capabilities}}).linux.seccomp?.syscalls).toHaveLength(1)
    expect(specOf({capAdd: ['SYS_ADMIN']}, {findings, host: {...host, capabilities}}).linux.seccomp?.syscalls).toHaveLength(2)
  })
})

describe('files that reveal the load of other containers', () => {
  it('are masked for each CPU of the host', () => {
    const throttlePaths = ['/sys/devices/system/cpu/cpu0/thermal_throttle']
    expect(specOf({}, {host: {...host, throttlePaths}}).linux.maskedPaths).toEqual([...maskedPaths, ...throttlePaths])
    expect(specOf({privileged: true}, {host: {...host, throttlePaths}}).linux.maskedPaths).toEqual([])
  })
})
