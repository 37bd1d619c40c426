/**
 * A seccomp profile in the format of docker and containers-common: the OCI format, with rules that depend on architecture, capability and
 * kernel. A profile with an unknown field is refused, since the field could be one that protects.
 */
import {constants} from 'node:os'
import * as z from 'zod'

const names = z.array(z.string())

const conditionSchema = z
  .strictObject({
    arches: names.nullish(),
    caps: names.nullish(),
    /** The oldest kernel for which it holds. */
    minKernel: z
      .string()
      .regex(/^\d+\.\d+$/, 'expected a version such as 4.8')
      .nullish(),
  })
  .nullish()

const errorName = z
  .string()
  .refine((name) => name in constants.errno, {error: (issue) => `expected a name of errno(3), got ${JSON.stringify(issue.input)}`})
const actionSchema = z.string().regex(/^SCMP_ACT_[A-Z_]+$/, {error: (issue) => `expected SCMP_ACT_…, got ${JSON.stringify(issue.input)}`})

const ruleSchema = z
  .strictObject({
    names: names.min(1).optional(),
    /** Used by old profiles instead of `names`. */
    name: z.string().optional(),
    action: actionSchema,
    errnoRet: z.int().nonnegative().nullish(),
    /** The name that containers-common uses for the value of `errnoRet`. */
    errno: errorName.or(z.literal('')).nullish(),
    args: z
      .array(
        z.strictObject({
          index: z.int().min(0).max(5),
          value: z.int().nonnegative(),
          valueTwo: z.int().nonnegative().nullish(),
          op: z.string().regex(/^SCMP_CMP_[A-Z_]+$/),
        }),
      )
      .nullish(),
    comment: z.string().nullish(),
    includes: conditionSchema,
    excludes: conditionSchema,
  })
  .refine(({name, names: several}) => (name === undefined) !== (several === undefined), 'expected either name or names')
  .refine((rule) => agrees(rule.errno, rule.errnoRet), 'expected errno and errnoRet to be the same')
  .transform(({name, names: several, errno, errnoRet, comment: _, ...rule}) => ({
    ...rule,
    ...(hasReturn(errno, errnoRet) && {errnoRet: errnoRet ?? toNumber(errno)}),
    names: several ?? [name ?? ''],
  }))

const profileSchema = z
  .strictObject({
    defaultAction: actionSchema,
    defaultErrnoRet: z.int().nonnegative().nullish(),
    defaultErrno: errorName.or(z.literal('')).nullish(),
    /** In addition to that of the machine, which libseccomp adds. */
    architectures: names.nullish(),
    archMap: z.array(z.strictObject({architecture: z.string(), subArchitectures: names.nullish()})).nullish(),
    flags: names.nullish(),
    listenerPath: z.string().startsWith('/').nullish(),
    listenerMetadata: z.string().nullish(),
    syscalls: z.array(ruleSchema).nullish(),
  })
  .refine(({architectures, archMap}) => !architectures || !archMap, {
    error: 'expected either architectures or archMap',
    path: ['architectures'],
  })
  .refine((profile) => agrees(profile.defaultErrno, profile.defaultErrnoRet), 'expected defaultErrno and defaultErrnoRet to be the same')
  .transform(({defaultErrno, defaultErrnoRet, ...profile}) => ({
    ...profile,
    ...(hasReturn(defaultErrno, defaultErrnoRet) && {defaultErrnoRet: defaultErrnoRet ?? toNumber(defaultErrno)}),
    syscalls: profile.syscalls ?? [],
  }))
export type SeccompProfile = z.infer<typeof profileSchema>
export type SeccompRule = SeccompProfile['syscalls'][number]

/** @throws ZodError */
export function parseSeccompProfile(json: unknown): SeccompProfile {
  return profileSchema.parse(json)
}

function agrees(name: string | null | undefined, number: number | null | undefined): boolean {
  return !name || number == null || toNumber(name) === number
}

function hasReturn(name: string | null | undefined, number: number | null | undefined): boolean {
  return number != null || Boolean(name)
}

function toNumber(name: string | null | undefined): number | undefined {
  return name ? new Map(Object.entries(constants.errno)).get(name) : undefined
}
