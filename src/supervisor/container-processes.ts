/** The processes of a container, and all that watches them. What is seen goes to the inbox. */
import {join} from 'node:path'
import type {BootInstant} from '../../machines/ledger/boot-instant.ts'
import type {Clock} from '../kernel/clock.ts'
import type {ContainerLayout} from '../layout/container-layout.ts'
import type {ChildReaper} from '../linux/child-reaper.ts'
import {openProcessStdio} from '../stdio/process-stdio.ts'
import type {InheritedDescriptor} from './assignment.ts'
import type {ContainerRuntime} from './container-runtime.ts'
import type {EffectDependencies} from './effects/effect-dependencies.ts'
import {createHealthChecks} from './effects/health-checks.ts'
import type {Observe} from './loop/inbox.ts'
import {createExecProcesses} from './processes/exec-processes.ts'
import {createProbe} from './processes/health-probe.ts'
import {findInheritedProcess} from './processes/inherited-descriptors.ts'
import {createInitExit} from './processes/init-exit.ts'
import {createInitProcess} from './processes/init-process.ts'
import {linuxOomCounters} from './processes/oom-counters.ts'
import {createOomWatch} from './processes/oom-watch.ts'
import {createProcessWatcher} from './processes/process-watcher.ts'

export type ContainerProcesses = Pick<EffectDependencies, 'init' | 'execs' | 'oom' | 'health'>

export interface ContainerProcessesDependencies extends Pick<ContainerRuntime, 'runtime' | 'findOwner' | 'prepareProcess'> {
  readonly reaper: ChildReaper
  readonly clock: Clock
  readonly bootNow: () => BootInstant
  readonly observe: Observe
}

export interface ContainerProcessesOptions {
  readonly containerId: string
  readonly layout: ContainerLayout
  readonly inherited: readonly InheritedDescriptor[]
}

/** What a health check writes is not kept beyond its answer. */
const checkLog = {maxBytes: 64 * 1024, maxFiles: 1}

export function createContainerProcesses(
  {runtime, findOwner, prepareProcess, reaper, clock, bootNow, observe}: ContainerProcessesDependencies,
  {containerId, layout, inherited}: ContainerProcessesOptions,
): ContainerProcesses {
  const watch = createProcessWatcher({reaper, clock, findInherited: (identity) => findInheritedProcess(inherited, identity)})
  const oom = createOomWatch({counters: linuxOomCounters, clock, observe})
  const execs = createExecProcesses({watch, clock, observe})
  const onExit = createInitExit({execs, oom, clock, bootNow, observe})
  const init = createInitProcess({watch, clock, onSignal: oom.look, onExit})
  const openStdio: Parameters<typeof createProbe>[0]['openStdio'] = (place, onOutput) =>
    openProcessStdio({...place, stdin: false, terminal: false, owner: findOwner(), rotation: checkLog, now: clock.now, onOutput})
  const probe = createProbe({runtime, watch, clock, reaper, openStdio, prepareProcess}, {containerId, dir: join(layout.runDir, 'health')})
  return {init, execs, oom, health: createHealthChecks({probe, clock, bootNow, observe})}
}
