import {describe, expect, it} from 'vitest'
import {parseSeccompProfile, toOciSeccomp} from '../../../src/runtime/spec/seccomp.ts'

const allow = {names: ['openat'], action: 'SCMP_ACT_ALLOW'}

/** Whether a rule with these conditions is in what the runtime gets. */
function applies(conditions: object, architecture = 'x64', capabilities: readonly string[] = ['CAP_KILL']): boolean {
  const profile = parseSeccompProfile({defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{...allow, ...conditions}]})
  return toOciSeccomp(profile, architecture, capabilities)?.syscalls.length === 1
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

  it('whose list of conditions is empty applies, as it does in docker', () => {
    expect(applies({includes: {arches: [], caps: []}, excludes: {arches: [], caps: []}})).toBe(true)
  })
})

describe('what the runtime gets', () => {
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
      {names: ['bdflush'], action: 'SCMP_ACT_ERRNO', errnoRet: 0, errno: 'EPERM'},
    ],
  })

  it('is the rules without their conditions, for the machine and what it runs besides', () => {
    expect(toOciSeccomp(profile, 'x64', [])).toStrictEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [
        allow,
        {names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{index: 0, value: 8, valueTwo: 0, op: 'SCMP_CMP_EQ'}]},
        {names: ['bdflush'], action: 'SCMP_ACT_ERRNO', errnoRet: 0},
      ],
    })
  })

  it.each([
    ['arm64', ['SCMP_ARCH_AARCH64']],
    ['riscv64', ['SCMP_ARCH_RISCV64']],
  ])('on %s is for that alone', (architecture, architectures) => {
    expect(toOciSeccomp(profile, architecture, [])?.architectures).toEqual(architectures)
  })

  it('is nothing on a machine that is not known', () => {
    expect(toOciSeccomp(profile, 'mips', [])).toBeUndefined()
  })

  it.each([
    null,
    {},
    {defaultAction: 'x'},
    {defaultAction: 5, syscalls: []},
    {defaultAction: 'x', syscalls: [{names: 'read', action: 'y'}]},
  ])('is never made of %j', (json) => {
    expect(() => parseSeccompProfile(json)).toThrow()
  })
})
