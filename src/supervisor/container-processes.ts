/** The processes of a container, and all that watches them. What is seen goes to the inbox. */
import {join} from 'node:path'
import type {BootInstant} from '../../machines/ledger/boot-instant.ts'
import type {ProcessIdentity} from '../../machines/ledger/events.ts'
import type {Clock} from '../kernel/clock.ts'
import type {ContainerLayout} from '../layout/container-layout.ts'
import {readBootId} from '../linux/process-table.ts'
import type {ProcessStdios} from '../stdio/process-stdio-port.ts'
import type {KnownExit} from './assignment.ts'
import type {ContainerRuntime} from './container-runtime.ts'
import type {EffectDependencies} from './effects/effect-dependencies.ts'
import {createHealthChecks} from './effects/health-checks.ts'
import type {Observe} from './loop/inbox.ts'
import {createExecProcesses} from './processes/exec-processes.ts'
import {createHealthMemory} from './processes/health-memory.ts'
import {createProbe} from './processes/health-probe.ts'
import {createInitExit} from './processes/init-exit.ts'
import {createInitProcess} from './processes/init-process.ts'
import {linuxOomCounters} from './processes/oom-counters.ts'
import {createOomWatch} from './processes/oom-watch.ts'
import {createProcessWatcher} from './processes/process-watcher.ts'
import type {Children} from './shim/children.ts'

export type ContainerProcesses = Pick<EffectDependencies, 'init' | 'execs' | 'oom' | 'health'>

export interface ContainerProcessesDependencies extends Pick<ContainerRuntime, 'runtime' | 'findOwner' | 'prepareProcess'> {
  readonly children: Children
  readonly stdios: ProcessStdios
  readonly clock: Clock
  readonly bootNow: () => BootInstant
  readonly observe: Observe
}

export interface ContainerProcessesOptions {
  readonly containerId: string
  readonly layout: ContainerLayout
  /** How processes ended that lost their shim. */
  readonly exits: readonly KnownExit[]
}

/** What a health check writes is not kept beyond its answer. */
const checkLog = {maxBytes: 1024 * 1024, maxFiles: 2}

export function createContainerProcesses(
  {runtime, findOwner, prepareProcess, children, stdios, clock, bootNow, observe}: ContainerProcessesDependencies,
  {containerId, layout, exits}: ContainerProcessesOptions,
): ContainerProcesses {
  const watch = createProcessWatcher({children, clock, findKnownExit: (identity) => findKnownExit(exits, identity)})
  const oom = createOomWatch({counters: linuxOomCounters, clock, observe})
  const execs = createExecProcesses({watch, observe})
  const onExit = createInitExit({execs, oom, bootNow, observe})
  const init = createInitProcess({watch, clock, onSignal: oom.look, onExit})
  const openStdio: Parameters<typeof createProbe>[0]['openStdio'] = (place, onGrew) =>
    stdios.open({...place, name: 'health', stdin: false, terminal: false, owner: findOwner(), rotation: checkLog, onGrew})
  const probe = createProbe({runtime, watch, clock, children, openStdio, prepareProcess}, {containerId, dir: join(layout.runDir, 'health')})
  return {
    init,
    execs,
    oom,
    health: createHealthChecks({probe, clock, bootNow, observe, memory: createHealthMemory(join(layout.runDir, 'health.json'))}),
  }
}

function findKnownExit(exits: readonly KnownExit[], {pid, startTimeTicks, bootId}: ProcessIdentity): KnownExit | undefined {
  return bootId === readBootId() ? exits.find((one) => one.pid === pid && one.startTimeTicks === startTimeTicks) : undefined
}
