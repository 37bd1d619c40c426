/** Parsers of the security options, devices, limits and namespaces of a container, for commander. */
import {resolve} from 'node:path'
import {InvalidArgumentError} from 'commander'
import {isId} from '../../machines/ledger/ids.ts'
import type {Device, Ulimit} from '../../machines/schemas/create-request.ts'
import {ulimitNames} from '../../machines/schemas/ulimits.ts'
import {TallyError} from '../kernel/errors.ts'

export interface SecurityOptions {
  readonly seccomp?: string
  readonly noNewPrivileges?: boolean
  readonly apparmor?: string
}

/** As in docker, whose `builtin` profile is our `default`. */
export function parseSecurityOption(text: string): SecurityOptions {
  const [name, value] = text.split(/[=:](.*)/s)
  if (name === 'seccomp' && (value === 'unconfined' || value === 'default')) return {seccomp: value}
  if (name === 'seccomp' && value) return {seccomp: value === 'builtin' ? 'default' : resolve(value)}
  if (name === 'apparmor' && value) return {apparmor: value}
  if (name === 'no-new-privileges' && (value === undefined || value === 'true' || value === 'false'))
    return {noNewPrivileges: value !== 'false'}
  throw new InvalidArgumentError(
    `expected seccomp=default, seccomp=unconfined, seccomp=FILE, no-new-privileges[=false] or apparmor=PROFILE, got ${JSON.stringify(text)}`,
  )
}

/** `/dev/fuse`, `/dev/sda:/dev/disk:r` */
export function parseDevice(text: string): Device {
  const [source = '', second, third, ...rest] = text.split(':')
  const isAccess = (part: string | undefined) => part !== undefined && /^[rwm]+$/.test(part)
  const [target, access] = third === undefined && isAccess(second) ? [undefined, second] : [second, third]
  const isPath = (part: string | undefined) => part === undefined || part.startsWith('/')
  if (!source.startsWith('/') || !isPath(target) || (access !== undefined && !isAccess(access)) || rest.length > 0)
    throw new InvalidArgumentError(`expected /dev/NAME, /dev/NAME:/dev/OTHER or /dev/NAME:/dev/OTHER:rwm, got ${JSON.stringify(text)}`)
  const has = (letter: string) => ((access ?? 'rwm').includes(letter) ? letter : '')
  return {source, ...(target !== undefined && {target}), access: `${has('r')}${has('w')}${has('m')}`}
}

/** `nofile=1024`, `nofile=1024:4096`, `core=-1` */
export function parseUlimit(text: string): Ulimit {
  const [, name, soft = '', hard = soft] = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text) ?? []
  const known = ulimitNames.find((candidate) => candidate === name)
  if (!known)
    throw new InvalidArgumentError(
      `expected NAME=SOFT or NAME=SOFT:HARD with one of ${ulimitNames.join(', ')}, got ${JSON.stringify(text)}`,
    )
  return {name: known, soft: Number(soft), hard: Number(hard)}
}

/** @throws TallyError INVALID_ARGUMENT */
export function toNamespace(flag: string, text: string): 'private' | 'host' | `container:${string}` {
  if (text === 'private' || text === 'host') return text
  return toContainer(text) ?? refuse(`expected ${flag} private, host or container:ID, got ${JSON.stringify(text)}`)
}

/** @throws TallyError INVALID_ARGUMENT */
export function toNetwork(text: string): 'none' | 'host' | `container:${string}` {
  if (text === 'none' || text === 'host') return text
  return toContainer(text) ?? refuse(`expected --network none, host or container:ID, got ${JSON.stringify(text)}`)
}

function toContainer(text: string): `container:${string}` | undefined {
  const [, id] = /^container:(.+)$/.exec(text) ?? []
  return isId(id) ? `container:${id}` : undefined
}

function refuse(message: string): never {
  throw new TallyError('INVALID_ARGUMENT', message)
}
