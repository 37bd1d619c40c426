import type {Command} from 'commander'
import {hasLimits, type Limits} from '../../machines/schemas/limits.ts'
import {TallyError} from '../kernel/errors.ts'
import {type LimitFlag, parseBytes, parseCount, parseCpus, parseUnlessLifted, toLimit} from './arguments.ts'
import {addVerb, forEachId} from './verb.ts'

interface UpdateFlags {
  readonly memory?: LimitFlag
  readonly memorySwap?: LimitFlag
  readonly cpus?: LimitFlag
  readonly cpuShares?: number
  readonly cpusetCpus?: string
  readonly pidsLimit?: LimitFlag
}

export function addUpdate(program: Command): void {
  addVerb(program, 'update', 'change the resource limits of containers; -1 removes a limit')
    .argument('<id...>')
    .option('--memory <size>', 'memory limit, such as 64m', parseUnlessLifted(parseBytes))
    .option('--memory-swap <size>', 'limit of memory and swap together (default: no swap)', parseUnlessLifted(parseBytes))
    .option('--cpus <number>', 'CPU time limit, in CPUs, such as 0.5', parseUnlessLifted(parseCpus))
    .option('--cpu-shares <number>', 'CPU weight relative to other containers, which have 1024', parseCount)
    .option('--cpuset-cpus <list>', 'CPUs on which the container may run, such as 0-2,4')
    .option('--pids-limit <count>', 'limit of processes and threads', parseUnlessLifted(parseCount))
    .action(async (ids: readonly string[], flags: UpdateFlags, command: Command) => {
      const limits = toLimits(flags)
      if (!hasLimits(limits)) throw new TallyError('INVALID_ARGUMENT', 'expected a limit to change, such as --memory 64m')
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).update(limits),
        ({id}) => id,
      )
    })
}

function toLimits({memory, memorySwap, cpus, cpuShares, cpusetCpus, pidsLimit}: UpdateFlags): Limits {
  return {
    ...(memory !== undefined && {memoryBytes: toLimit(memory)}),
    ...(memorySwap !== undefined && {memorySwapBytes: toLimit(memorySwap)}),
    ...(cpus !== undefined && {cpus: toLimit(cpus)}),
    ...(cpuShares !== undefined && {cpuShares}),
    ...(cpusetCpus !== undefined && {cpusetCpus}),
    ...(pidsLimit !== undefined && {pidsLimit: toLimit(pidsLimit)}),
  }
}
