import {describe, expect, it} from 'vitest'
import {defaultSeccompProfile} from '../../../src/runtime/spec/default-seccomp.ts'
import {toOciSeccomp} from '../../../src/runtime/spec/seccomp.ts'
import {parseSeccompProfile} from '../../../src/runtime/spec/seccomp-profile.ts'

const allow = {names: ['openat'], action: 'SCMP_ACT_ALLOW'}

const on = (architecture: string) => ({architecture, kernel: '6.1.0'})

/** Whether the profile for the runtime has a rule with these conditions. */
function applies(
  conditions: object,
  architecture = 'x64',
  capabilities: readonly string[] = ['CAP_KILL'],
  kernel = '6.1.0-13-amd64',
): boolean {
  const profile = parseSeccompProfile({defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{...allow, ...conditions}]})
  return toOciSeccomp(profile, {architecture, kernel}, capabilities).syscalls.length === 1
}

describe('a rule of the profile', () => {
  it('without conditions applies', () => {
    expect(applies({})).toBe(true)
    expect(applies({includes: {}, excludes: {}})).toBe(true)
    expect(applies({includes: null, excludes: null})).toBe(true)
  })

  it.each<[object, string, boolean]>([
    [{includes: {arches: ['amd64', 'x32']}}, 'x64', true],
    [{includes: {arches: ['amd64', 'x32']}}, 'arm64', false],
    [{includes: {arches: ['arm', 'arm64']}}, 'arm64', true],
    [{excludes: {arches: ['amd64']}}, 'x64', false],
    [{excludes: {arches: ['amd64']}}, 'riscv64', true],
  ])('with %j on %s applies: %s', (conditions, architecture, expected) => {
    expect(applies(conditions, architecture)).toBe(expected)
  })

  it.each<[object, readonly string[], boolean]>([
    [{includes: {caps: ['CAP_SYS_ADMIN']}}, ['CAP_SYS_ADMIN', 'CAP_KILL'], true],
    [{includes: {caps: ['CAP_SYS_ADMIN']}}, ['CAP_KILL'], false],
    [{includes: {caps: ['CAP_SYS_ADMIN', 'CAP_BPF']}}, ['CAP_BPF'], false],
    [{excludes: {caps: ['CAP_SYS_ADMIN']}}, ['CAP_SYS_ADMIN'], false],
    [{excludes: {caps: ['CAP_SYS_ADMIN']}}, [], true],
    [{excludes: {caps: ['CAP_SYS_ADMIN', 'CAP_BPF']}}, ['CAP_BPF'], false],
    [{includes: {caps: ['CAP_KILL']}, excludes: {caps: ['CAP_BPF']}}, ['CAP_KILL'], true],
    [{includes: {arches: ['amd64'], caps: ['CAP_BPF']}}, ['CAP_KILL'], false],
  ])('with %j and %j applies: %s', (conditions, capabilities, expected) => {
    expect(applies(conditions, 'x64', capabilities)).toBe(expected)
  })

  it.each<[object, string, boolean]>([
    [{includes: {minKernel: '4.8'}}, '4.8.0', true],
    [{includes: {minKernel: '4.8'}}, '4.10.0-generic', true],
    [{includes: {minKernel: '4.8'}}, '4.7.9', false],
    [{includes: {minKernel: '5.2'}}, '4.19', false],
    [{excludes: {minKernel: '4.8'}}, '6.1.0-13-amd64', false],
    [{excludes: {minKernel: '6.10'}}, '6.9.1', true],
  ])('with %j on Linux %s applies: %s', (conditions, kernel, expected) => {
    expect(applies(conditions, 'x64', [], kernel)).toBe(expected)
  })

  it('whose list of conditions is empty applies, as it does in docker', () => {
    expect(applies({includes: {arches: [], caps: []}, excludes: {arches: [], caps: []}})).toBe(true)
  })
})

describe('the profile for the runtime', () => {
  const profile = parseSeccompProfile({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    archMap: [
      {architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32']},
      {architecture: 'SCMP_ARCH_AARCH64', subArchitectures: null},
    ],
    syscalls: [
      {...allow, args: [], errnoRet: null, comment: 'x', includes: {}},
      {names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{index: 0, value: 8, valueTwo: 0, op: 'SCMP_CMP_EQ'}]},
      {names: ['bdflush'], action: 'SCMP_ACT_ERRNO', errnoRet: 1, errno: 'EPERM'},
    ],
  })

  it('has the rules without their conditions, for all architectures of the machine', () => {
    expect(toOciSeccomp(profile, on('x64'), [])).toStrictEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [
        allow,
        {names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{index: 0, value: 8, valueTwo: 0, op: 'SCMP_CMP_EQ'}]},
        {names: ['bdflush'], action: 'SCMP_ACT_ERRNO', errnoRet: 1},
      ],
    })
  })

  it.each([
    ['arm64', ['SCMP_ARCH_AARCH64']],
    ['riscv64', ['SCMP_ARCH_RISCV64']],
  ])('on %s is for that alone', (architecture, architectures) => {
    expect(toOciSeccomp(profile, on(architecture), []).architectures).toEqual(architectures)
  })

  it('is refused on an unknown machine', () => {
    expect(() => toOciSeccomp(profile, on('mips'), [])).toThrow(/mips.*seccomp=unconfined/)
  })

  it.each([
    [{architectures: ['SCMP_ARCH_X86']}, {architectures: ['SCMP_ARCH_X86']}],
    [{flags: ['SECCOMP_FILTER_FLAG_LOG']}, {flags: ['SECCOMP_FILTER_FLAG_LOG']}],
    [
      {listenerPath: '/run/l.sock', listenerMetadata: 'x'},
      {listenerPath: '/run/l.sock', listenerMetadata: 'x'},
    ],
    [{syscalls: [{name: 'read', action: 'SCMP_ACT_ALLOW', comment: ''}]}, {syscalls: [{names: ['read'], action: 'SCMP_ACT_ALLOW'}]}],
    [
      {syscalls: [{...allow, errno: 'ENOSYS'}], defaultErrno: 'EPERM'},
      {syscalls: [{...allow, errnoRet: 38}], defaultErrnoRet: 1},
    ],
    [{syscalls: [{...allow, errno: ''}]}, {syscalls: [allow]}],
  ])('has all of %j', (fields, expected) => {
    expect(toOciSeccomp(parseSeccompProfile({defaultAction: 'SCMP_ACT_ERRNO', ...fields}), on('x64'), [])).toMatchObject(expected)
  })

  it.each([
    null,
    {},
    {defaultAction: 'x'},
    {defaultAction: 5, syscalls: []},
    {defaultAction: 'x', syscalls: [{names: 'read', action: 'y'}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [], more: 1},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, more: 1}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, name: 'read'}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, includes: {minKernel: 4.8}}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, includes: {kernel: '4.8'}}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, errno: 'EPERM', errnoRet: 38}]},
    {defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{...allow, args: [{index: 0, value: 2 ** 60, op: 'SCMP_CMP_EQ'}]}]},
    {defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86'], archMap: []},
  ])('is never made of %j', (json) => {
    expect(() => parseSeccompProfile(json)).toThrow()
  })
})

describe('the default profile', () => {
  const allowed = (name: string, capabilities: readonly string[], architecture = 'x64') =>
    toOciSeccomp(defaultSeccompProfile, on(architecture), capabilities).syscalls.filter(
      ({names, action}) => names.includes(name) && action === 'SCMP_ACT_ALLOW',
    )

  it('has the format of a profile file', () => {
    expect(parseSeccompProfile(JSON.parse(JSON.stringify(defaultSeccompProfile)))).toEqual(defaultSeccompProfile)
  })

  it('has each call once per condition', () => {
    for (const {names} of defaultSeccompProfile.syscalls) expect(new Set(names).size).toBe(names.length)
  })

  it.each([
    ['clone3 unshare mount umount2 setns fsopen fsmount move_mount open_tree mount_setattr bpf', 'CAP_SYS_ADMIN'],
    ['kcmp pidfd_getfd process_madvise', 'CAP_SYS_PTRACE'],
    ['open_by_handle_at', 'CAP_DAC_READ_SEARCH'],
    ['init_module finit_module delete_module', 'CAP_SYS_MODULE'],
    ['bpf', 'CAP_BPF'],
    ['perf_event_open', 'CAP_PERFMON'],
    ['reboot', 'CAP_SYS_BOOT'],
    ['iopl ioperm', 'CAP_SYS_RAWIO'],
  ])('allows %s with %s alone', (calls, capability) => {
    for (const name of calls.split(' ')) {
      expect(allowed(name, [])).toEqual([])
      expect(allowed(name, [capability])).toHaveLength(1)
    }
  })

  it.each([
    'add_key',
    'keyctl',
    'request_key',
    'io_uring_setup',
    'io_uring_enter',
    'io_uring_register',
    'userfaultfd',
    'nfsservctl',
    'kexec_load',
    'swapon',
    'pivot_root',
  ])('never allows %s', (name) => {
    expect(allowed(name, [...defaultSeccompProfile.syscalls.flatMap(({includes}) => includes?.caps ?? [])])).toEqual([])
  })

  it('allows clone, personality and socket only with some arguments', () => {
    for (const name of ['clone', 'personality', 'socket']) for (const {args} of allowed(name, [])) expect(args).toHaveLength(1)
    expect(allowed('clone', ['CAP_SYS_ADMIN'])).toHaveLength(1)
    expect(allowed('clone', [], 's390x').map(({args}) => args)).toEqual([
      [{index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 0x7e020000, valueTwo: 0}],
    ])
  })
})
