import {join} from 'node:path'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'

/** Where the files of one container are. Ids are validated before they get here, so they are safe as path components. */
export interface ContainerLayout {
  /** Survives a reboot: journal, generated bundle, log. */
  readonly stateDir: string
  readonly journal: string
  readonly log: string
  /** A copy of what the OCI runtime knows of the container. */
  readonly runtimeState: string
  /** Does not survive a reboot: FIFOs, pid file. */
  readonly runDir: string
  readonly fifoDir: string
  readonly pidFile: string
  /** Where its shim listens. */
  readonly shimSocket: string
  /** The files of a process that `exec` added, by its exec id. */
  exec(exec: string): ExecLayout
  /** `runc --root`, one per namespace. */
  readonly runtimeRoot: string
  /** An entry that keeps `runtimeRoot` in place while the container has no other entry in it. */
  readonly runtimeMark: string
  /** Flat, so that no parent directory is left in any cgroup hierarchy. */
  readonly cgroupsPath: string
  /** The same for a runtime that has systemd make the group: slice, prefix and name. */
  readonly systemdCgroupsPath: string
}

export interface ExecLayout {
  readonly stateDir: string
  readonly log: string
  readonly runDir: string
  readonly fifoDir: string
  readonly pidFile: string
  /** What `runc exec --process` reads. */
  readonly processFile: string
}

export interface Directories {
  readonly stateDir: string
  readonly runDir: string
}

export function toContainerLayout(
  {stateDir, runDir}: Directories,
  {namespace, id}: Omit<ContainerAddress, 'node'>,
  uid: string,
): ContainerLayout {
  const state = join(containersDir(stateDir), namespace, id)
  const run = join(runDir, 'containers', namespace, id)
  return {
    stateDir: state,
    journal: join(state, 'journal.jsonl'),
    log: join(state, 'log'),
    runtimeState: join(state, 'runtime-state.json'),
    runDir: run,
    fifoDir: join(run, 'io'),
    pidFile: join(run, 'init.pid'),
    shimSocket: join(run, 'shim.sock'),
    exec: (exec) => ({
      stateDir: join(state, 'exec', exec),
      log: join(state, 'exec', exec, 'log'),
      runDir: join(run, 'exec', exec),
      fifoDir: join(run, 'exec', exec, 'io'),
      pidFile: join(run, 'exec', exec, 'pid'),
      processFile: join(run, 'exec', exec, 'process.json'),
    }),
    runtimeRoot: join(runDir, 'runc', namespace),
    runtimeMark: join(runDir, 'runc', namespace, `.${id}`),
    cgroupsPath: `/tally-${namespace}-${id}-${uid.slice(0, 8)}`,
    systemdCgroupsPath: `system.slice:tally:${namespace}-${id}-${uid.slice(0, 8)}`,
  }
}

export function containersDir(stateDir: string): string {
  return join(stateDir, 'containers')
}

/** Space that is reserved for the time when the disk is full. */
export function reserveFile(stateDir: string): string {
  return join(stateDir, 'reserve')
}
