/** Converts a seccomp profile to the OCI spec, for this machine, this kernel and these capabilities. */
import {TallyError} from '../../kernel/errors.ts'
import type {HostFacts} from './host-facts.ts'
import {isKernelAtLeast} from './kernel-version.ts'
import type {OciSeccomp, OciSyscallRule} from './oci-spec.ts'
import type {SeccompProfile, SeccompRule} from './seccomp-profile.ts'

/** By Node's name of a machine: the names that profiles (as Go does) and libseccomp use. */
const architectures: Readonly<Record<string, {readonly go: string; readonly seccomp: string}>> = {
  arm: {go: 'arm', seccomp: 'SCMP_ARCH_ARM'},
  arm64: {go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64'},
  ia32: {go: 'x86', seccomp: 'SCMP_ARCH_X86'},
  loong64: {go: 'loong64', seccomp: 'SCMP_ARCH_LOONGARCH64'},
  ppc64: {go: 'ppc64le', seccomp: 'SCMP_ARCH_PPC64LE'},
  riscv64: {go: 'riscv64', seccomp: 'SCMP_ARCH_RISCV64'},
  s390x: {go: 's390x', seccomp: 'SCMP_ARCH_S390X'},
  x64: {go: 'amd64', seccomp: 'SCMP_ARCH_X86_64'},
}

export type SeccompHost = Pick<HostFacts, 'architecture' | 'kernel'>

/** @throws TallyError UNSUPPORTED for a machine that libseccomp does not know */
export function toOciSeccomp(profile: SeccompProfile, host: SeccompHost, capabilities: readonly string[]): OciSeccomp {
  const names = architectures[host.architecture]
  if (!names) {
    const advice = 'a container can be made without (--security-opt seccomp=unconfined)'
    throw new TallyError('UNSUPPORTED', `no seccomp profile is known for ${host.architecture} machines; ${advice}`)
  }
  const sub = profile.archMap?.find((entry) => entry.architecture === names.seccomp)?.subArchitectures ?? []
  const {defaultErrnoRet, flags, listenerPath, listenerMetadata} = profile
  return {
    defaultAction: profile.defaultAction,
    ...(defaultErrnoRet !== undefined && {defaultErrnoRet}),
    architectures: profile.architectures ?? [names.seccomp, ...sub],
    ...(flags && {flags}),
    ...(listenerPath && {listenerPath}),
    ...(listenerMetadata && {listenerMetadata}),
    syscalls: profile.syscalls.filter((rule) => applies(rule, {...host, go: names.go}, capabilities)).map(toRule),
  }
}

/** All conditions of `includes` have to hold, and none of `excludes`. */
function applies({includes, excludes}: SeccompRule, {go, kernel}: SeccompHost & {readonly go: string}, has: readonly string[]): boolean {
  const isAtLeast = (version: string | null | undefined) => version != null && isKernelAtLeast(kernel, version)
  return (
    (!includes?.arches?.length || includes.arches.includes(go)) &&
    (includes?.caps ?? []).every((capability) => has.includes(capability)) &&
    (includes?.minKernel == null || isAtLeast(includes.minKernel)) &&
    !(excludes?.arches ?? []).includes(go) &&
    !(excludes?.caps ?? []).some((capability) => has.includes(capability)) &&
    !isAtLeast(excludes?.minKernel)
  )
}

function toRule({names, action, errnoRet, args}: SeccompRule): OciSyscallRule {
  return {names, action, ...(errnoRet !== undefined && {errnoRet}), ...(args && args.length > 0 && {args})}
}
