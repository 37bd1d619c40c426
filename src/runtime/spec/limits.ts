import type {Limits} from '../../../machines/schemas/limits.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {OciLimits} from './oci-spec.ts'

export interface LimitsOptions {
  /** Those that the container has. */
  readonly present: Limits
  /** Whether a limit of memory allows no swap unless it says so. Needs a host that accounts for swap. */
  readonly limitsSwap: boolean
}

/** Bandwidth is counted in periods of 100 ms, as docker does (kernel documentation, CFS bandwidth control). */
const cpuPeriodUs = 100_000
const unlimited = -1

/**
 * A change of limits in the words of the OCI spec: only what changes, but memory and swap together, since the kernel holds
 * the one to the other and v2 counts them apart. Pure.
 * @throws TallyError INVALID_REQUEST when less is allowed of memory and swap than of memory
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
  // Those of a bundle are not known.
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
