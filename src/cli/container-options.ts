/** The options of `run` and `create`, and the request that they make. */
import {resolve} from 'node:path'
import {type Command, Option} from 'commander'
import type {CreateRequestInput, Device, Mount, RootfsMount, Ulimit} from '../../machines/schemas/create-request.ts'
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import {TallyError} from '../kernel/errors.ts'
import {parseMount, parseRootfsMount} from './mount-arguments.ts'
import {parseTmpfs, parseVolume} from './volume-arguments.ts'
import {parseDevice, parseSecurityOption, parseUlimit, type SecurityOptions, toNamespace, toNetwork} from './security-arguments.ts'
import {
  type LimitFlag,
  parseBytes,
  parseCount,
  parseCpus,
  parseLabel,
  parseLogOption,
  parseRestart,
  type LogOptions,
  parseUnlessLifted,
  toLimit,
  toLogRotation,
} from './arguments.ts'
import {parseDuration} from './times.ts'

export interface ContainerFlags {
  readonly name?: string
  readonly rootfs?: string
  readonly rootfsMount?: readonly RootfsMount[]
  readonly rw?: true
  readonly bundle?: string
  readonly runtime?: string
  readonly runtimeRoot?: string
  readonly pivot?: boolean
  readonly newKeyring?: boolean
  readonly systemdCgroup?: true
  readonly interactive?: true
  readonly logOpt?: LogOptions
  readonly tty?: true
  readonly label?: readonly (readonly [string, string])[]
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly hostname?: string
  readonly network?: string
  readonly pid?: string
  readonly ipc?: string
  readonly uts?: 'private' | 'host'
  readonly privileged?: true
  readonly securityOpt?: readonly SecurityOptions[]
  readonly device?: readonly Device[]
  readonly ulimit?: readonly Ulimit[]
  readonly annotation?: readonly (readonly [string, string])[]
  readonly volume?: readonly Mount[]
  readonly mount?: readonly Mount[]
  readonly tmpfs?: readonly Mount[]
  readonly readOnly?: true
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  readonly memory?: number
  readonly memorySwap?: LimitFlag
  readonly cpus?: number
  readonly cpuShares?: number
  readonly cpusetCpus?: string
  readonly pidsLimit?: number
  readonly restart?: NonNullable<CreateRequestInput['restart']>
  readonly healthCmd?: string
  readonly healthInterval?: number
  readonly healthTimeout?: number
  readonly healthRetries?: number
  readonly healthStartPeriod?: number
  readonly healthStartInterval?: number
}

/** Those that a bundle has for itself. */
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

export function addContainerOptions(command: Command): Command {
  return command
    .argument('[command...]', 'what to run in the root file system, with its arguments')
    .passThroughOptions()
    .option('--name <id>', 'id of the container (default: a random one)')
    .option('--rootfs <dir>', 'directory to use as root file system; changes go into an overlay that is deleted with the container')
    .option('--rw', 'make changes in the directory itself')
    .addOption(
      repeated(
        '--rootfs-mount <fields>',
        'instead of --rootfs: type=T,source=S[,target=PATH][,options=O,…], mounted in this order; may be repeated',
        parseRootfsMount,
      ),
    )
    .option('--bundle <dir>', 'OCI bundle, used as it is')
    .addOption(
      new Option(
        '--log-opt <name=value>',
        'max-size=SIZE: begin another log file at this size; max-file=COUNT: keep this many files, 5 unless given',
      ).argParser(parseLogOption),
    )
    .option(
      '--restart <policy>',
      'start it again when it has ended: no, on-failure[:COUNT], always or unless-stopped (default: no)',
      parseRestart,
    )
    .option('--health-cmd <command>', 'health check, run by sh -c in the container: it is healthy when this exits with 0')
    .option('--health-interval <duration>', 'time between two health checks (default: 30s)', parseDuration)
    .option('--health-timeout <duration>', 'a health check that takes longer has failed (default: 30s)', parseDuration)
    .option('--health-retries <count>', 'failed health checks in a row that make it unhealthy (default: 3)', parseCount)
    .option('--health-start-period <duration>', 'time after the start in which failures do not count (default: 0)', parseDuration)
    .option('--health-start-interval <duration>', 'time between two health checks within the start period (default: 5s)', parseDuration)
    .option('--runtime <name>', "OCI runtime, by name or path (default: the node's)")
    .option('--runtime-root <dir>', "directory in which the OCI runtime keeps its state (default: a directory of the node's)")
    .option('--no-pivot', 'change into the root file system instead of pivoting, for one in memory')
    .option('--no-new-keyring', 'share the session keyring of the node')
    .option('--systemd-cgroup', 'let systemd make the cgroup')
    .option('-i, --interactive', 'keep its standard input open; without, it reads an end of file')
    .option('-t, --tty', 'give it a terminal')
    .addOption(repeated('-e, --env <name=value>', 'set an environment variable, or pass one on by its name; may be repeated', String))
    .option('-w, --workdir <dir>', 'working directory in the container (default: /)')
    .option('-u, --user <user[:group]>', "names of the container's own passwd and group files, or numbers (default: 0)")
    .option('--hostname <name>', 'host name in the container (default: the id)')
    .option(
      '--net, --network <mode>',
      'network: none (loopback only), host, or container:ID to share that of another container (default: none)',
    )
    .option('--pid <mode>', 'process ids: private, host, or container:ID to share those of another container (default: private)')
    .option('--ipc <mode>', 'IPC: private, host, or container:ID to share that of another container (default: private)')
    .addOption(new Option('--uts <mode>', 'host name: its own, or that of the host (default: private)').choices(['private', 'host']))
    .option('--privileged', 'all capabilities and devices of the host, nothing masked, no seccomp')
    .addOption(
      repeated(
        '--security-opt <name=value>',
        'one of seccomp=default, seccomp=unconfined, seccomp=FILE, no-new-privileges=false, apparmor=PROFILE; may be repeated',
        parseSecurityOption,
      ),
    )
    .addOption(repeated('--device <source[:target[:rwm]]>', 'give it a device of the host; may be repeated', parseDevice))
    .addOption(repeated('--ulimit <name=soft[:hard]>', 'a limit such as nofile=1024:4096, -1 for none; may be repeated', parseUlimit))
    .addOption(repeated('--annotation <name=value>', 'for the runtime and its hooks; may be repeated', parseLabel))
    .addOption(
      repeated(
        '-v, --volume <source:target[:option,…]>',
        'mount a file or directory; ro, rro, rslave and others; may be repeated',
        parseVolume,
      ),
    )
    .addOption(
      repeated(
        '--mount <fields>',
        'type=bind,source=S,target=T[,readonly][,bind-propagation=P][,bind-recursive=R] or type=tmpfs,target=T[,tmpfs-size=SIZE][,tmpfs-mode=MODE]; may be repeated',
        parseMount,
      ),
    )
    .addOption(
      repeated(
        '--tmpfs <target[:option,…]>',
        'mount a file system in memory; size=64k, mode=700, exec, uid=1 and others; may be repeated',
        parseTmpfs,
      ),
    )
    .option('--read-only', 'the root file system cannot be written')
    .addOption(repeated('--cap-add <name>', 'give a capability beyond the default ones, or ALL; may be repeated', String))
    .addOption(repeated('--cap-drop <name>', 'take a default capability away, or ALL; may be repeated', String))
    .option('--memory <size>', 'limit of memory, such as 64m', parseBytes)
    .option('--memory-swap <size>', 'limit of memory and swap together; -1: no limit (default: no swap)', parseUnlessLifted(parseBytes))
    .option('--cpus <number>', 'limit of CPU time, in CPUs, such as 0.5', parseCpus)
    .option('--cpu-shares <number>', 'its share of the CPU when CPU time is short, relative to the 1024 of others', parseCount)
    .option('--cpuset-cpus <list>', 'CPUs on which it runs, such as 0-2,4')
    .option('--pids-limit <count>', 'limit of processes and threads', parseCount)
    .addOption(repeated('-l, --label <name=value>', 'a label, shown by inspect; may be repeated', parseLabel))
}

/** @throws TallyError INVALID_ARGUMENT */
export function toCreateRequest(
  flags: ContainerFlags,
  args: readonly string[],
  {namespace, autoRemove}: {readonly namespace: string; readonly autoRemove: boolean},
): CreateRequestInput {
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

/** @throws TallyError INVALID_ARGUMENT: how to check, and not what */
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

/** As large as ours is, where ours is one. */
export function toConsoleSize(): ConsoleSize | undefined {
  const {columns, rows} = process.stdout
  return columns > 0 && rows > 0 ? {columns, rows} : undefined
}

/** `NAME` alone passes the caller's on, if there is one. */
export function toVariable(entry: string): readonly string[] {
  if (entry.includes('=')) return [entry]
  const value = process.env[entry]
  return value === undefined ? [] : [`${entry}=${value}`]
}

export function repeated<T>(flags: string, description: string, parse: (text: string) => T): Option {
  return new Option(flags, description).argParser((text: string, before: readonly T[] | undefined) => [...(before ?? []), parse(text)])
}
