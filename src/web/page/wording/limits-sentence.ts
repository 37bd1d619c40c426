import type {Limits} from '../../../../machines/schemas/limits.ts'
import {formatBytes} from './quantity.ts'

/** `memory 64.0 MiB, 0.5 CPUs, no limit of processes`. */
export function limitsSentence(limits: Limits): string {
  const {memoryBytes, memorySwapBytes, cpus, cpuShares, cpusetCpus, pidsLimit} = limits
  const parts = [
    bytes('memory', memoryBytes),
    bytes('memory and swap', memorySwapBytes),
    cpus === undefined ? '' : cpus === null ? 'no limit of CPUs' : `${cpus} CPUs`,
    cpuShares === undefined ? '' : `${cpuShares} shares`,
    cpusetCpus === undefined ? '' : `on CPUs ${cpusetCpus}`,
    pidsLimit === undefined ? '' : pidsLimit === null ? 'no limit of processes' : `${pidsLimit} processes`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function bytes(what: string, value: number | null | undefined): string {
  if (value === undefined) return ''
  return value === null ? `no limit of ${what}` : `${what} ${formatBytes(value)}`
}
