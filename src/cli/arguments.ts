/** Parsers of option values, for commander. What they throw is printed as a usage error. */
import {InvalidArgumentError, Option} from 'commander'
import {TallyError} from '../kernel/errors.ts'
import type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
import {parseSignal, type SignalName} from '../../machines/schemas/signals.ts'

/** As in docker: `no`, `on-failure`, `on-failure:5`, `always`, `unless-stopped`. */
export function parseRestart(text: string): NonNullable<CreateRequestInput['restart']> {
  const [, policy, maxRetries] = /^(no|always|unless-stopped|on-failure)(?::([1-9]\d{0,5}))?$/.exec(text) ?? []
  if (policy === 'on-failure') return {policy, ...(maxRetries !== undefined && {maxRetries: Number(maxRetries)})}
  if (maxRetries === undefined && (policy === 'no' || policy === 'always' || policy === 'unless-stopped')) return {policy}
  throw new InvalidArgumentError(`expected no, on-failure[:COUNT], always or unless-stopped, got ${JSON.stringify(text)}`)
}

/** A whole number of at least 0. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError(`expected a whole number, got ${JSON.stringify(text)}`)
  return Number(text)
}

export function parseSignalName(text: string): SignalName {
  const signal = parseSignal(text)
  if (!signal) throw new InvalidArgumentError(`expected a signal such as TERM, SIGTERM or 15, got ${JSON.stringify(text)}`)
  return signal
}

const sizeUnits: Readonly<Record<string, number>> = {'': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3}

/** `64m`, `1g`, or bytes. */
export function parseBytes(text: string): number {
  const [, count, unit] = /^(\d+)([bkmg]?)$/i.exec(text) ?? []
  const bytes = Number(count) * (sizeUnits[unit?.toLowerCase() ?? ''] ?? 1)
  if (!Number.isSafeInteger(bytes) || bytes === 0)
    throw new InvalidArgumentError(`expected a size such as 64m or 1g, got ${JSON.stringify(text)}`)
  return bytes
}

/** `0.5`, `2`. */
export function parseCpus(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError(`expected a number of CPUs such as 0.5, got ${JSON.stringify(text)}`)
  return Number(text)
}

/** A limit given on the command line. `lifted` stands for `-1`, which means unlimited. */
export type LimitFlag = number | 'lifted'

/** Also takes `-1`, and otherwise what `parse` takes. */
export function parseUnlessLifted(parse: (text: string) => number): (text: string) => LimitFlag {
  return (text) => (text === '-1' ? 'lifted' : parse(text))
}

export function toLimit(flag: LimitFlag): number | null {
  return flag === 'lifted' ? null : flag
}

/** `NAME=VALUE`; the value may be empty. */
export function parseLabel(text: string): readonly [string, string] {
  const [name = '', value = ''] = text.split(/=(.*)/s)
  if (name === '') throw new InvalidArgumentError(`expected NAME=VALUE, got ${JSON.stringify(text)}`)
  return [name, value]
}

/** As in docker. */
export interface LogOptions {
  readonly 'max-size'?: number
  readonly 'max-file'?: number
}

/** `max-size=10m`, `max-file=3`: each once. */
export function parseLogOption(text: string, before: LogOptions = {}): LogOptions {
  const [name = '', value = ''] = text.split(/=(.*)/s)
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`expected one ${name}, got several`)
  if (name === 'max-size') return {...before, 'max-size': parseBytes(value)}
  if (name === 'max-file' && /^[1-9]\d{0,2}$/.test(value)) return {...before, 'max-file': Number(value)}
  throw new InvalidArgumentError(`expected max-size=SIZE or max-file=COUNT (1 to 999), got ${JSON.stringify(text)}`)
}

const defaultMaxFiles = 5

/** @throws TallyError INVALID_ARGUMENT without a size: there would be no second file */
export function toLogRotation({'max-size': maxBytes, 'max-file': maxFiles = defaultMaxFiles}: LogOptions): {
  readonly maxBytes: number
  readonly maxFiles: number
} {
  if (maxBytes === undefined) throw new TallyError('INVALID_ARGUMENT', 'expected --log-opt max-size=SIZE beside max-file')
  return {maxBytes, maxFiles}
}

/** An option that may be given several times; its value is the list of all that were given. */
export function repeated<T>(flags: string, description: string, parse: (text: string) => T): Option {
  return new Option(flags, description).argParser((text: string, before: readonly T[] | undefined) => [...(before ?? []), parse(text)])
}
