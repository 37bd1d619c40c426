/**
 * The default seccomp profile as docker and containers-common write it (rules that depend on architecture, capability and
 * kernel), turned into what an OCI runtime understands.
 */
import * as z from 'zod'
import type {OciSeccomp, OciSyscallRule} from './oci-spec.ts'

const conditionSchema = z
  .object({
    arches: z.array(z.string()).nullish(),
    caps: z.array(z.string()).nullish(),
    minKernel: z.string().nullish(),
  })
  .nullish()

const profileSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int().nullish(),
  archMap: z.array(z.object({architecture: z.string(), subArchitectures: z.array(z.string()).nullish()})).nullish(),
  syscalls: z.array(
    z.object({
      names: z.array(z.string()),
      action: z.string(),
      errnoRet: z.int().nullish(),
      args: z.array(z.unknown()).nullish(),
      includes: conditionSchema,
      excludes: conditionSchema,
    }),
  ),
})
export type SeccompProfile = z.infer<typeof profileSchema>

/** @throws ZodError for what is not such a profile */
export function parseSeccompProfile(json: unknown): SeccompProfile {
  return profileSchema.parse(json)
}

/** Node's names of machines, as the profile (Go's) and as libseccomp call them. */
const architectures: Readonly<Record<string, {readonly go: string; readonly seccomp: string}>> = {
  x64: {go: 'amd64', seccomp: 'SCMP_ARCH_X86_64'},
  arm64: {go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64'},
  riscv64: {go: 'riscv64', seccomp: 'SCMP_ARCH_RISCV64'},
}

/** @returns undefined for a machine that the profile does not know */
export function toOciSeccomp(profile: SeccompProfile, architecture: string, capabilities: readonly string[]): OciSeccomp | undefined {
  const names = architectures[architecture]
  if (!names) return undefined
  const sub = profile.archMap?.find((entry) => entry.architecture === names.seccomp)?.subArchitectures ?? []
  const applies = ({includes, excludes}: SeccompProfile['syscalls'][number]) =>
    (!includes?.arches?.length || includes.arches.includes(names.go)) &&
    (includes?.caps ?? []).every((capability) => capabilities.includes(capability)) &&
    !(excludes?.arches ?? []).includes(names.go) &&
    !(excludes?.caps ?? []).some((capability) => capabilities.includes(capability))
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet != null && {defaultErrnoRet: profile.defaultErrnoRet}),
    architectures: [names.seccomp, ...sub],
    syscalls: profile.syscalls.filter(applies).map(toRule),
  }
}

function toRule({names, action, errnoRet, args}: SeccompProfile['syscalls'][number]): OciSyscallRule {
  return {names, action, ...(errnoRet != null && {errnoRet}), ...(args && args.length > 0 && {args})}
}
