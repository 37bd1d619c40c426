import {existsSync} from 'node:fs'
import * as z from 'zod'
import type {RootfsRequest} from '../../../machines/schemas/create-request.ts'
import {TallyError} from '../../kernel/errors.ts'
import {defaultSeccompProfile} from './default-seccomp.ts'
import type {HostFacts} from './host-facts.ts'
import {readTextFile} from '../read-text-file.ts'
import {parseSeccompProfile, type SeccompProfile} from './seccomp-profile.ts'

export interface SeccompChoice {
  /** `default`, `unconfined`, or the file of the profile. */
  readonly name: string
  /** Undefined: no filter. */
  readonly profile?: SeccompProfile
}

/** The default profile of the administrator (containers-common). That of the distribution is not used. */
const administratorProfile = '/etc/containers/seccomp.json'
const mostBytes = 4 * 1024 * 1024

/** @throws TallyError INVALID_REQUEST for a file that is not a profile, UNSUPPORTED when the kernel has no seccomp */
export function chooseSeccomp({seccomp, privileged}: Pick<RootfsRequest, 'seccomp' | 'privileged'>, host: HostFacts): SeccompChoice {
  const name = seccomp ?? (privileged ? 'unconfined' : findDefaultSeccomp())
  if (name === 'unconfined') return {name}
  if (host.filtersCalls === false) throw noFilter('this kernel has no seccomp')
  return {name, profile: name === 'default' ? defaultSeccompProfile : readProfile(name)}
}

/** The profile of a container that asks for no other: `default`, or the file of the administrator. */
export function findDefaultSeccomp(): string {
  return existsSync(administratorProfile) ? administratorProfile : 'default'
}

/** An error, since the container would otherwise run unfiltered without notice. */
export function noFilter(why: string): TallyError {
  return new TallyError(
    'UNSUPPORTED',
    `${why}, so system calls cannot be filtered; a container can be made without (--security-opt seccomp=unconfined)`,
  )
}

function readProfile(path: string): SeccompProfile {
  try {
    return parseSeccompProfile(JSON.parse(readTextFile(path, mostBytes)))
  } catch (cause) {
    throw new TallyError('INVALID_REQUEST', `expected a seccomp profile at ${path}: ${describe(cause)}`, {cause})
  }
}

function describe(cause: unknown): string {
  if (cause instanceof z.ZodError) return z.prettifyError(cause).replaceAll('\n', ' ')
  return cause instanceof Error ? cause.message : String(cause)
}
