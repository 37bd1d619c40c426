import type {Limits} from '../../../machines/schemas/limits.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {OciLimits} from './oci-spec.ts'

export interface LimitsOptions {
  /** The current ones of the container. */
  readonly present: Limits
  /** Whether a memory limit also forbids swap, unless a limit of swap is given. Needs a host that accounts for swap. */
  readonly limitsSwap: boolean
}

/** CPU time is limited per period of 100 ms, as in docker (kernel documentation, CFS bandwidth control). */
const cpuPeriodUs = 100_000
const unlimited = -1

/**
 * Converts a change of limits to the OCI spec. Only what changes is set, but memory and swap always together: cgroup v1 compares them with
 * each other, and v2 has separate limits for both. Pure.
 * @throws TallyError INVALID_REQUEST when the limit of memory and swap is lower than that of memory
 */
export function toOciLimits(change: Limits, {present, limitsSwap}: LimitsOptions): OciLimits {
  const {cpus, cpuShares, cpusetCpus, pidsLimit} = change
  const memory = toMemory(change, {present, limitsSwap})
  const cpu = {
    ...(cpus !== undefined && {quota: cpus === null ? unlimited : Math.round(cpus * cpuPeriodUs), period: cpuPeriodUs}),
    ...(cpuShares !== undefined && {shares: cpuShares}),
    ...(cpusetCpus !== undefined && {cpus: cpusetCpus}),
  }
  return {
    ...(memory && {memory}),
    ...(Object.keys(cpu).length > 0 && {cpu}),
    ...(pidsLimit !== undefined && {pids: {limit: pidsLimit ?? unlimited}}),
  }
}

function toMemory(change: Limits, {present, limitsSwap}: LimitsOptions): OciLimits['memory'] | undefined {
  if (change.memoryBytes === undefined && change.memorySwapBytes === undefined) return undefined
  const {memoryBytes, memorySwapBytes} = {...present, ...change}
  // The limits of a bundle are not known.
  if (memorySwapBytes && memoryBytes === undefined && limitsSwap)
    throw new TallyError('INVALID_REQUEST', 'memorySwapBytes: expected memoryBytes as well, since this is memory and swap together')
  if (memorySwapBytes && (memoryBytes === null || (memoryBytes ?? 0) > memorySwapBytes)) {
    const got = `${memorySwapBytes} with memoryBytes ${memoryBytes ?? 'without limit'}`
    throw new TallyError('INVALID_REQUEST', `expected memorySwapBytes to be at least memoryBytes, got ${got}`)
  }
  const swap = memorySwapBytes === undefined && limitsSwap ? memoryBytes : memorySwapBytes
  return {
    ...(memoryBytes !== undefined && {limit: memoryBytes ?? unlimited}),
    ...(swap !== undefined && {swap: swap ?? unlimited}),
  }
}
