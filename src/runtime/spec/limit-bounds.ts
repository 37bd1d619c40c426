/**
 * Compares limits with the range of the kernel, which rounds a smaller one to no limit, or refuses it with a message of its own. Not part of
 * the schema, since ledgers contain limits that earlier releases accepted.
 */
import {readFileSync} from 'node:fs'
import type {Limits} from '../../../machines/schemas/limits.ts'
import {TallyError} from '../../kernel/errors.ts'

type NumberField = 'memoryBytes' | 'cpus' | 'cpuShares' | 'pidsLimit'

/**
 * Memory: what the runtime needs to start a program, as in docker. CPU time: 1 ms of each 100 ms (kernel documentation, CFS bandwidth
 * control). Processes: the largest number of pids of a host (pid_max in proc(5)).
 */
const bounds: Readonly<Record<NumberField, {readonly least: number; readonly most?: number}>> = {
  memoryBytes: {least: 6 * 1024 ** 2},
  cpus: {least: 0.01, most: 10_000},
  cpuShares: {least: 2, most: 262_144},
  pidsLimit: {least: 1, most: 4_194_304},
}

/** @param online CPUs of this host, as the kernel lists them. @throws TallyError INVALID_REQUEST with the range */
export function assertLimits(limits: Limits, online = readOnlineCpus()): void {
  for (const field of ['memoryBytes', 'cpus', 'cpuShares', 'pidsLimit'] as const) {
    const value = limits[field]
    const {least, most} = bounds[field]
    if (value === undefined || value === null || (value >= least && value <= (most ?? value))) continue
    throw refused(field, `expected ${most === undefined ? `at least ${least}` : `${least} to ${most}`}, got ${value}`)
  }
  if (limits.cpusetCpus !== undefined) assertCpus(limits.cpusetCpus, online)
}

function assertCpus(wanted: string, online: string): void {
  const [own, here] = [toRanges(wanted), toRanges(online)]
  const reversed = own.find(([first, last]) => first > last)
  if (reversed) throw refused('cpusetCpus', `expected the first of a range not above its last, got ${reversed.join('-')}`)
  const isHere = (cpu: number) => here.some(([first, last]) => cpu >= first && cpu <= last)
  const most = Math.max(...here.map(([, last]) => last))
  // Compared with the last CPU first, so that a huge range is not expanded.
  const areHere = own.every(
    ([first, last]) => last <= most && Array.from({length: last - first + 1}, (_, index) => first + index).every(isHere),
  )
  if (!areHere) throw refused('cpusetCpus', `expected CPUs of this host (${online}), got ${wanted}`)
}

function toRanges(list: string): readonly (readonly [first: number, last: number])[] {
  return list.split(',').map((part) => {
    const [first = '', last = first] = part.split('-')
    return [Number(first), Number(last)]
  })
}

function readOnlineCpus(): string {
  return readFileSync('/sys/devices/system/cpu/online', 'utf8').trim()
}

function refused(field: string, why: string): TallyError {
  return new TallyError('INVALID_REQUEST', `${field}: ${why}`, {details: {field}})
}
