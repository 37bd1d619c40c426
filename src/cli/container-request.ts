/** The create request that the options of `run` and `create` stand for. */
import {resolve} from 'node:path'
import type {CreateRequestInput, Mount} from '../../machines/schemas/create-request.ts'
import {TallyError} from '../kernel/errors.ts'
import {toLimit, toLogRotation} from './arguments.ts'
import {assertNoContradiction} from './contradictions.ts'
import {toConsoleSize} from './console-size.ts'
import type {ContainerFlags} from './container-flags.ts'
import {toVariable} from './environment-variable.ts'
import {toNamespace, toNetwork} from './security-arguments.ts'

/** @throws TallyError INVALID_ARGUMENT */
export function toCreateRequest(
  flags: ContainerFlags,
  args: readonly string[],
  {namespace, autoRemove}: {readonly namespace: string; readonly autoRemove: boolean},
): CreateRequestInput {
  assertNoContradiction(flags)
  const {name, rootfs, rootfsMount, bundle, label, interactive, logOpt} = flags
  const consoleSize = flags.tty || bundle !== undefined ? toConsoleSize() : undefined
  const common = {
    namespace,
    autoRemove,
    ...toRuntime(flags),
    ...(flags.restart && {restart: flags.restart}),
    ...toHealthCheck(flags),
    ...(interactive && {stdin: true}),
    ...(logOpt && {log: toLogRotation(logOpt)}),
    ...(consoleSize && {consoleSize}),
    ...(name !== undefined && {id: name}),
    ...(label && {labels: Object.fromEntries(label)}),
  }
  if ([rootfs, rootfsMount, bundle].filter((given) => given !== undefined).length !== 1)
    throw new TallyError('INVALID_ARGUMENT', 'expected one of --rootfs DIR, --rootfs-mount FIELDS and --bundle DIR')
  if (bundle !== undefined) {
    refuseBesideBundle(flags, args)
    return {...common, bundle: resolve(bundle)}
  }
  if (args.length === 0) throw new TallyError('INVALID_ARGUMENT', 'expected a command after the options')
  const root =
    rootfs === undefined ? {rootfsMounts: [...(rootfsMount ?? [])]} : {rootfs: resolve(rootfs), ...(!flags.rw && {overlay: true})}
  return {...common, ...root, args: [...args], ...toRootfsFields(flags)}
}

function toRuntime({runtime, runtimeRoot, pivot, newKeyring, systemdCgroup}: ContainerFlags): Pick<CreateRequestInput, 'runtime'> {
  const options = {
    ...(runtime !== undefined && {binary: runtime.includes('/') ? resolve(runtime) : runtime}),
    ...(runtimeRoot !== undefined && {root: resolve(runtimeRoot)}),
    ...(pivot === false && {noPivot: true}),
    ...(newKeyring === false && {noNewKeyring: true}),
    ...(systemdCgroup && {systemdCgroup}),
  }
  return Object.keys(options).length > 0 ? {runtime: options} : {}
}

/** @throws TallyError INVALID_ARGUMENT when the command of the check is missing */
function toHealthCheck(flags: ContainerFlags): Pick<CreateRequestInput, 'healthCheck'> {
  const {healthCmd, healthInterval, healthTimeout, healthRetries, healthStartPeriod, healthStartInterval} = flags
  const how = {
    ...(healthInterval !== undefined && {intervalMs: healthInterval}),
    ...(healthTimeout !== undefined && {timeoutMs: healthTimeout}),
    ...(healthRetries !== undefined && {retries: healthRetries}),
    ...(healthStartPeriod !== undefined && {startPeriodMs: healthStartPeriod}),
    ...(healthStartInterval !== undefined && {startIntervalMs: healthStartInterval}),
  }
  if (healthCmd !== undefined) return {healthCheck: {args: ['sh', '-c', healthCmd], ...how}}
  if (Object.keys(how).length > 0)
    throw new TallyError('INVALID_ARGUMENT', 'expected --health-cmd COMMAND beside the other options of a health check')
  return {}
}

/** Options for what a bundle says itself, or that would change it. */
const rootfsFlags = {
  rw: '--rw',
  rootfsMount: '--rootfs-mount',
  tty: '--tty',
  pid: '--pid',
  ipc: '--ipc',
  uts: '--uts',
  privileged: '--privileged',
  securityOpt: '--security-opt',
  device: '--device',
  ulimit: '--ulimit',
  annotation: '--annotation',
  mount: '--mount',
  env: '--env',
  workdir: '--workdir',
  user: '--user',
  hostname: '--hostname',
  network: '--network',
  volume: '--volume',
  tmpfs: '--tmpfs',
  readOnly: '--read-only',
  capAdd: '--cap-add',
  capDrop: '--cap-drop',
  memory: '--memory',
  memorySwap: '--memory-swap',
  cpus: '--cpus',
  cpuShares: '--cpu-shares',
  cpusetCpus: '--cpuset-cpus',
  pidsLimit: '--pids-limit',
} as const satisfies Partial<Record<keyof ContainerFlags, string>>

function refuseBesideBundle(flags: ContainerFlags, args: readonly string[]): void {
  const refused = Object.entries(rootfsFlags).flatMap(([name, flag]) => (name in flags ? [flag] : []))
  const all = args.length > 0 ? [...refused, 'a command'] : refused
  if (all.length === 0) return
  throw new TallyError('INVALID_ARGUMENT', `expected --bundle alone, since a bundle is used as it is; got ${all.join(', ')} as well`)
}

function toRootfsFields(flags: ContainerFlags) {
  const {tty, env = [], workdir, user, hostname, network, volume = [], tmpfs = [], readOnly, capAdd, capDrop} = flags
  const {pid, ipc, uts, privileged, securityOpt, device, ulimit, annotation} = flags
  const {memory, memorySwap, cpus, cpuShares, cpusetCpus, pidsLimit} = flags
  const mounts: readonly Mount[] = [...volume, ...(flags.mount ?? []), ...tmpfs]
  return {
    env: env.flatMap(toVariable),
    ...(tty && {terminal: true}),
    ...(workdir !== undefined && {cwd: workdir}),
    ...(user !== undefined && {user}),
    ...(hostname !== undefined && {hostname}),
    ...(network !== undefined && {network: toNetwork(network)}),
    ...(pid !== undefined && {pid: toNamespace('--pid', pid)}),
    ...(ipc !== undefined && {ipc: toNamespace('--ipc', ipc)}),
    ...(uts !== undefined && {uts}),
    ...(privileged && {privileged}),
    ...Object.assign({}, ...(securityOpt ?? [])),
    ...(device && {devices: [...device]}),
    ...(ulimit && {ulimits: [...ulimit]}),
    ...(annotation && {annotations: Object.fromEntries(annotation)}),
    ...(mounts.length > 0 && {mounts: [...mounts]}),
    ...(readOnly && {readOnly}),
    ...(capAdd && {capAdd: [...capAdd]}),
    ...(capDrop && {capDrop: [...capDrop]}),
    ...(memory !== undefined && {memoryBytes: memory}),
    ...(memorySwap !== undefined && {memorySwapBytes: toLimit(memorySwap)}),
    ...(cpus !== undefined && {cpus}),
    ...(cpuShares !== undefined && {cpuShares}),
    ...(cpusetCpus !== undefined && {cpusetCpus}),
    ...(pidsLimit !== undefined && {pidsLimit}),
  }
}
